package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"svinit/services/svdir"
)

// The tests in this file use the real tools of daemontools and runit on services
// that we supervise. cmd/internal/svctl tests the other direction, our tools with
// their supervisors.

// actAsService is the environment variable that makes the test binary act as a
// service, which writes a file when it is ready and the name of each signal to
// another, and exits on TERM. A shell script would leave the sleep that it waits for
// as an orphan, which would keep the logger's pipe open.
const actAsService = "SVINIT_TEST_SERVICE"

func init() {
	if os.Getenv(actAsService) != "" {
		os.Exit(runTestService())
	}
}

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

// startSvscan starts our svscan on a directory with the service web and its logger,
// and returns the directory.
func startSvscan(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	writeExecutable(t, dir+"/web/run", "#!/bin/sh\n"+actAsService+"=1 "+actAsMain+"= exec "+exe+"\n")
	writeExecutable(t, dir+"/web/log/run", "#!/bin/sh\nexec cat >/dev/null\n")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = []string{"svscan", dir}
	cmd.Env = append(os.Environ(), actAsMain+"=1", "GORACE=atexit_sleep_ms=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second // services have our stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer cancel()
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil || strings.Contains(stderr.String(), "warning") {
			t.Errorf("svscan: %v\n%s", err, stderr.String())
		}
	})
	for _, state := range []string{dir + "/web/supervise", dir + "/web/log/supervise"} {
		waitFor(t, state, func() bool { return svdir.Listening(state) })
	}
	return dir
}

func writeExecutable(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(name[:strings.LastIndexByte(name, '/')], 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// waitFor waits until ok returns true. It polls, because the condition depends on
// another process.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// runOriginal runs a real tool in dir.
func runOriginal(t *testing.T, pkg, dir, tool string, args ...string) result {
	t.Helper()
	// Not from PATH, where testscript puts our own tools first.
	path := "/usr/bin/" + tool
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is missing: apt-get install %s", path, pkg)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// digits matches pids and seconds, which the tests do not compare.
var digits = regexp.MustCompile(`[0-9]+`)

// waitReady waits until a new process of web has its signal handlers.
func waitReady(t *testing.T, dir string) {
	t.Helper()
	waitFor(t, "the service", func() bool { return os.Remove(dir+"/web/ready") == nil })
}

func TestDaemontoolsOnOurServices(t *testing.T) {
	dir := startSvscan(t)
	waitReady(t, dir)
	shows := func(want string) {
		t.Helper()
		waitFor(t, want, func() bool {
			return digits.ReplaceAllString(runOriginal(t, "daemontools", dir, "svstat", "web").stdout, "N") == "web: "+want+"\n"
		})
	}
	send := func(letters ...string) {
		t.Helper()
		for _, l := range letters {
			if got := runOriginal(t, "daemontools", dir, "svc", "-"+l, "web"); got != (result{}) {
				t.Errorf("svc -%s: %+v", l, got)
			}
		}
	}
	for _, name := range []string{"web", "web/log"} {
		if got := runOriginal(t, "daemontools", dir, "svok", name); got != (result{}) {
			t.Errorf("svok %s: %+v", name, got)
		}
	}
	shows("up (pid N) N seconds")
	send("p")
	shows("up (pid N) N seconds, paused")
	send("c")
	shows("up (pid N) N seconds")
	for letter, sig := range map[string]syscall.Signal{"h": syscall.SIGHUP, "a": syscall.SIGALRM, "i": syscall.SIGINT} {
		send(letter)
		waitFor(t, sig.String(), func() bool {
			b, _ := os.ReadFile(dir + "/web/signal")
			return string(b) == sig.String()
		})
	}
	send("d")
	shows("down N seconds, normally up")
	send("u")
	waitReady(t, dir)
	shows("up (pid N) N seconds")
	send("t")
	waitReady(t, dir)
	send("o", "t") // once: it is not restarted
	shows("down N seconds, normally up")
	send("o")
	waitReady(t, dir)
	shows("up (pid N) N seconds")
	send("k")
	shows("down N seconds, normally up")
	send("x")
	shows("supervise not running")
	if got := runOriginal(t, "daemontools", dir, "svok", "web"); got != (result{code: 100}) {
		t.Errorf("svok: %+v", got)
	}
}

func TestRunitOnOurServices(t *testing.T) {
	dir := startSvscan(t)
	waitReady(t, dir)
	sv := func(want string, args ...string) {
		t.Helper()
		got := runOriginal(t, "runit", dir, "sv", append([]string{"-w", "15"}, args...)...)
		if line := digits.ReplaceAllString(got.stdout, "N"); line != want || got.stderr != "" {
			t.Errorf("sv %s: %+v, want %q", args, got, want)
		}
	}
	sv("ok: run: ./web: (pid N) Ns\n", "start", "./web")
	sv("ok: down: ./web: Ns, normally up\n", "stop", "./web")
	sv("ok: run: ./web: (pid N) Ns\n", "start", "./web")
	waitReady(t, dir)
	sv("ok: run: ./web: (pid N) Ns\n", "restart", "./web")
	waitReady(t, dir)
	sv("ok: run: ./web: (pid N) Ns, paused\n", "pause", "./web")
	sv("ok: run: ./web: (pid N) Ns\n", "cont", "./web")
	for word, sig := range map[string]syscall.Signal{
		"hup": syscall.SIGHUP, "alarm": syscall.SIGALRM, "interrupt": syscall.SIGINT,
		"quit": syscall.SIGQUIT, "1": syscall.SIGUSR1, "2": syscall.SIGUSR2,
	} {
		if got := runOriginal(t, "runit", dir, "sv", word, "./web"); got != (result{}) {
			t.Errorf("sv %s: %+v", word, got)
		}
		waitFor(t, sig.String(), func() bool {
			b, _ := os.ReadFile(dir + "/web/signal")
			return string(b) == sig.String()
		})
	}
	sv("ok: down: ./web: Ns, normally up\n", "force-stop", "./web")
	sv("down: ./web: Ns, normally up; run: log: (pid N) Ns\n", "status", "./web")
}
