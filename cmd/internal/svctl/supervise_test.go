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

// loggerScript exits at the end of its input.
const loggerScript = "#!/bin/sh\nexec cat >/dev/null\n"

// runTestService is what the test binary runs if actAsTool is "service": it creates the
// file ready when it has its signal handlers, writes the name of each signal to the file
// signal, and exits on TERM. A shell script would leave the sleep that it waits for as an
// orphan.
func runTestService() int {
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

// startReal starts a real supervisor on a service; runsv has a logger too.
func startReal(t *testing.T, program, pkg string) (dir string) {
	t.Helper()
	return startSupervisor(t, program, lookPath(t, program, pkg))
}

// startSupervisor starts the supervisor at path, and returns the service directory.
func startSupervisor(t *testing.T, program, path string) (dir string) {
	t.Helper()
	dir = t.TempDir() + "/m"
	must(t, os.MkdirAll(dir, 0o755))
	self, err := os.Executable()
	must(t, err)
	must(t, os.WriteFile(dir+"/run", []byte("#!/bin/sh\n"+actAsTool+"=service exec "+self+"\n"), 0o755))
	dirs := []string{dir}
	if program == "runsv" { // supervise leaves loggers to svscan
		mkdir(t, dir+"/log")
		must(t, os.WriteFile(dir+"/log/run", []byte(loggerScript), 0o755))
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
			t.Errorf("%s does not exit", program)
			cmd.Process.Kill()
			for _, d := range dirs {
				if s, err := svdir.ReadStatus(d + "/supervise"); err == nil && s.PID != 0 {
					syscall.Kill(s.PID, syscall.SIGKILL)
				}
			}
		}
	})
	for _, d := range dirs {
		waitFor(t, program+" to listen", func() bool { return svdir.Listening(d + "/supervise") })
	}
	waitFor(t, "the service", func() bool { _, err := os.Stat(dir + "/ready"); return err == nil })
	return dir
}

// realService is a service of a real supervisor.
type realService struct {
	program string // supervise or runsv
	parent  string // its directory is parent/name
	name    string
}

func (r *realService) dir() string { return r.parent + r.name }

// runOurs runs one of our tools.
func (r *realService) runOurs(t *testing.T, tool string, args ...string) outcome {
	t.Helper()
	return runTool(t, invocation{tool: tool, args: args, dir: r.parent}.ours())
}

// waitStatus waits for a line of svstat, with N for numbers, from both tools.
func (r *realService) waitStatus(t *testing.T, want string) {
	t.Helper()
	i := invocation{tool: "svstat", args: []string{r.name}, dir: r.parent}
	waitFor(t, want, func() bool {
		return digits.ReplaceAllString(runTool(t, i.ours()).stdout, "N") == r.name+": "+want+"\n"
	})
	waitFor(t, "the real svstat to agree", func() bool { return runTool(t, i.ours()) == runTool(t, i.real(t)) })
}

// send sends commands with our svc.
func (r *realService) send(t *testing.T, letters string) {
	t.Helper()
	if got := r.runOurs(t, "svc", letters, r.name); got != (outcome{}) {
		t.Fatalf("svc %s: %+v", letters, got)
	}
}

func (r *realService) pid(t *testing.T) int {
	t.Helper()
	s, err := svdir.ReadStatus(r.dir() + "/supervise")
	must(t, err)
	return s.PID
}

// waitReady waits until a process of the service has its signal handlers.
func (r *realService) waitReady(t *testing.T) {
	t.Helper()
	waitFor(t, "the service", func() bool { _, err := os.Stat(r.dir() + "/ready"); return err == nil })
}

// TestRealSupervisors controls and observes services of the real supervisors with our
// tools; the output of the real svstat must be the same as that of ours.
func TestRealSupervisors(t *testing.T) {
	for program, pkg := range map[string]string{"supervise": "daemontools", "runsv": "runit"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			parent, name := filepath.Split(startReal(t, program, pkg))
			r := &realService{program: program, parent: parent, name: name}
			if got := r.runOurs(t, "svok", name); got != (outcome{}) {
				t.Errorf("svok: %+v", got)
			}
			r.signals(t)
			r.startAndStop(t)
			r.exit(t)
		})
	}
}

// signals tests the commands that send signals.
func (r *realService) signals(t *testing.T) {
	r.waitStatus(t, "up (pid N) N seconds")
	r.send(t, "-p")
	r.waitStatus(t, "up (pid N) N seconds, paused")
	r.send(t, "-c")
	r.waitStatus(t, "up (pid N) N seconds")
	letters := "hai"
	if r.program == "runsv" {
		letters += "q12"
	}
	for _, letter := range strings.Split(letters, "") {
		r.send(t, "-"+letter)
		waitFor(t, "the signal of "+letter, func() bool {
			b, _ := os.ReadFile(r.dir() + "/signal")
			return string(b) == signalOf[letter].String()
		})
	}
}

// startAndStop tests the commands that start and stop the service; it is down at the end.
func (r *realService) startAndStop(t *testing.T) {
	first := r.pid(t)
	must(t, os.Remove(r.dir()+"/ready"))
	r.send(t, "-t")
	waitFor(t, "another process", func() bool { p := r.pid(t); return p != 0 && p != first })
	r.waitReady(t)
	r.waitStatus(t, "up (pid N) N seconds")
	r.send(t, "-d")
	r.waitStatus(t, "down N seconds, normally up")
	must(t, os.Remove(r.dir()+"/ready"))
	r.send(t, "-o")
	r.waitReady(t)
	if r.program == "runsv" { // which writes the wanted state 'd' for once
		r.waitStatus(t, "up (pid N) N seconds, want down")
	} else {
		r.waitStatus(t, "up (pid N) N seconds")
	}
	r.send(t, "-k")
	r.waitStatus(t, "down N seconds, normally up")
	if r.program == "runsv" {
		log := *r
		log.name = "m/log"
		log.waitStatus(t, "up (pid N) N seconds")
	}
}

// exit tests the end of the supervision.
func (r *realService) exit(t *testing.T) {
	r.send(t, "-x")
	waitFor(t, "the exit of the supervisor", func() bool { return r.runOurs(t, "svok", r.name).code == 100 })
	r.waitStatus(t, "supervise not running")
	if got := r.runOurs(t, "svc", "-u", r.name); got.stderr != "svc: warning: unable to control m: supervise not running\n" || got.code != 0 {
		t.Errorf("svc afterwards: %+v", got)
	}
}

var signalOf = map[string]syscall.Signal{
	"h": syscall.SIGHUP, "a": syscall.SIGALRM, "i": syscall.SIGINT,
	"q": syscall.SIGQUIT, "1": syscall.SIGUSR1, "2": syscall.SIGUSR2,
}

var digits = regexp.MustCompile(`[0-9]+`)
