package svctl

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"svinit/services/svdir"
)

// logger ends when its input has ended.
const logger = "#!/bin/sh\nexec cat >/dev/null\n"

// service is what the test binary is with asTool set to its name: it writes
// "ready" when it can be signalled, and the signals that come, and ends at
// TERM. A shell could not end without leaving the sleep that it waits for.
func service() int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGALRM, syscall.SIGINT, syscall.SIGQUIT,
		syscall.SIGUSR1, syscall.SIGUSR2)
	if err := os.WriteFile("ready", nil, 0o600); err != nil {
		return 1
	}
	for s := range signals {
		if s == syscall.SIGTERM {
			break
		}
		if err := os.WriteFile("signal", []byte(s.String()), 0o600); err != nil {
			return 1
		}
	}
	return 0
}

// underReal starts a real supervisor on a service with a logger.
func underReal(t *testing.T, program, pkg string) (dir string) {
	t.Helper()
	return under(t, program, lookPath(t, program, pkg))
}

// under starts the supervisor at path.
func under(t *testing.T, program, path string) (dir string) {
	t.Helper()
	dir = t.TempDir() + "/m"
	must(t, os.MkdirAll(dir, 0o755))
	self, err := os.Executable()
	must(t, err)
	must(t, os.WriteFile(dir+"/run", []byte("#!/bin/sh\n"+asTool+"=service exec "+self+"\n"), 0o755))
	dirs := []string{dir}
	if program == "runsv" { // supervise leaves loggers to svscan
		mkdir(t, dir+"/log")
		must(t, os.WriteFile(dir+"/log/run", []byte(logger), 0o755))
		dirs = append(dirs, dir+"/log")
	}
	cmd := &exec.Cmd{Path: path, Args: []string{program, dir}}
	must(t, cmd.Start())
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		for _, d := range dirs {
			svdir.Send(d+"/supervise", []byte("dckx"))
		}
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Errorf("%s does not end", program)
			cmd.Process.Kill()
			for _, d := range dirs {
				if s, err := svdir.ReadStatus(d + "/supervise"); err == nil && s.PID != 0 {
					syscall.Kill(s.PID, syscall.SIGKILL)
				}
			}
		}
	})
	for _, d := range dirs {
		await(t, program+" to listen", func() bool { return svdir.Listening(d + "/supervise") })
	}
	await(t, "the service", func() bool { _, err := os.Stat(dir + "/ready"); return err == nil })
	return dir
}

// TestUnderReal commands and observes services of the real supervisors with
// our tools; the real svstat must see what ours sees.
func TestUnderReal(t *testing.T) {
	for program, pkg := range map[string]string{"supervise": "daemontools", "runsv": "runit"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			dir := underReal(t, program, pkg)
			parent, name := filepath.Split(dir)
			tool := func(tool string, args ...string) outcome {
				t.Helper()
				return run(t, invocation{tool: tool, args: args, dir: parent}.ours())
			}
			// shows waits for a sentence, without the numbers, from both tools.
			shows := func(want string) {
				t.Helper()
				i := invocation{tool: "svstat", args: []string{name}, dir: parent}
				var ours, real outcome
				await(t, want, func() bool {
					ours = run(t, i.ours())
					return numbers.ReplaceAllString(ours.stdout, "N") == name+": "+want+"\n"
				})
				await(t, "the real svstat to agree", func() bool {
					ours, real = run(t, i.ours()), run(t, i.real(t))
					return ours == real
				})
			}
			send := func(letters, arg string) {
				t.Helper()
				if got := tool("svc", letters, arg); got != (outcome{}) {
					t.Fatalf("svc %s: %+v", letters, got)
				}
			}
			pid := func() int {
				s, err := svdir.ReadStatus(dir + "/supervise")
				must(t, err)
				return s.PID
			}

			if got := tool("svok", name); got != (outcome{}) {
				t.Errorf("svok: %+v", got)
			}
			shows("up (pid N) N seconds")
			send("-p", name)
			shows("up (pid N) N seconds, paused")
			send("-c", name)
			shows("up (pid N) N seconds")

			letters := "hai"
			if program == "runsv" {
				letters += "q12"
			}
			for _, letter := range strings.Split(letters, "") {
				send("-"+letter, name)
				await(t, "the signal of "+letter, func() bool {
					b, _ := os.ReadFile(dir + "/signal")
					return string(b) == signalOf[letter].String()
				})
			}

			first := pid()
			must(t, os.Remove(dir+"/ready"))
			send("-t", name)
			await(t, "another process", func() bool { p := pid(); return p != 0 && p != first })
			await(t, "its traps", func() bool { _, err := os.Stat(dir + "/ready"); return err == nil })
			shows("up (pid N) N seconds")
			send("-d", name)
			shows("down N seconds, normally up")
			must(t, os.Remove(dir+"/ready"))
			send("-o", name)
			await(t, "its traps", func() bool { _, err := os.Stat(dir + "/ready"); return err == nil })
			if program == "runsv" { // which writes 'd' for once
				shows("up (pid N) N seconds, want down")
			} else {
				shows("up (pid N) N seconds")
			}
			send("-k", name)
			shows("down N seconds, normally up")
			if program == "runsv" {
				name = "m/log"
				shows("up (pid N) N seconds")
				name = "m"
			}
			send("-x", name)
			await(t, "its end", func() bool { return tool("svok", name).code == 100 })
			shows("supervise not running")
			if got := tool("svc", "-u", name); got.stderr != "svc: warning: unable to control m: supervise not running\n" || got.code != 0 {
				t.Errorf("svc afterwards: %+v", got)
			}
		})
	}
}

var signalOf = map[string]syscall.Signal{
	"h": syscall.SIGHUP, "a": syscall.SIGALRM, "i": syscall.SIGINT,
	"q": syscall.SIGQUIT, "1": syscall.SIGUSR1, "2": syscall.SIGUSR2,
}

var numbers = regexp.MustCompile(`[0-9]+`)
