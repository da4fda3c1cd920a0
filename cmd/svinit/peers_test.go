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

// The tests of this file put the real tools of daemontools and runit to
// services that we supervise. The other direction, our tools and their
// supervisors, is tested in cmd/internal/svctl.

// asService makes the test binary a service that tells when it can be
// signalled, and by which signal it was, and ends at TERM. A shell could not
// end without leaving the sleep that it waits for, with the logger's pipe.
const asService = "SVINIT_TEST_SERVICE"

func init() {
	if os.Getenv(asService) != "" {
		os.Exit(service())
	}
}

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

// scanned starts our svscan on a directory with the service web and its
// logger, and returns the directory.
func scanned(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir+"/web/run", "#!/bin/sh\n"+asService+"=1 "+asMain+"= exec "+exe+"\n")
	put(t, dir+"/web/log/run", "#!/bin/sh\nexec cat >/dev/null\n")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = []string{"svscan", dir}
	cmd.Env = append(os.Environ(), asMain+"=1", "GORACE=atexit_sleep_ms=0")
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
		await(t, state, func() bool { return svdir.Listening(state) })
	}
	return dir
}

func put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(name[:strings.LastIndexByte(name, '/')], 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// await waits until ok holds. What it waits for happens in another process,
// which cannot be asked to tell.
func await(t *testing.T, what string, ok func() bool) {
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

// peer runs a real tool in dir.
func peer(t *testing.T, pkg, dir, tool string, args ...string) outcome {
	t.Helper()
	// Not through PATH, in which testscript puts our own tools first.
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
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// numbers are what differs from one moment to the next.
var numbers = regexp.MustCompile(`[0-9]+`)

// ready waits for the traps of a new process of web.
func ready(t *testing.T, dir string) {
	t.Helper()
	await(t, "the service", func() bool { return os.Remove(dir+"/web/ready") == nil })
}

func TestDaemontoolsOnOurs(t *testing.T) {
	dir := scanned(t)
	ready(t, dir)
	shows := func(want string) {
		t.Helper()
		await(t, want, func() bool {
			return numbers.ReplaceAllString(peer(t, "daemontools", dir, "svstat", "web").stdout, "N") == "web: "+want+"\n"
		})
	}
	send := func(letters ...string) {
		t.Helper()
		for _, l := range letters {
			if got := peer(t, "daemontools", dir, "svc", "-"+l, "web"); got != (outcome{}) {
				t.Errorf("svc -%s: %+v", l, got)
			}
		}
	}
	for _, name := range []string{"web", "web/log"} {
		if got := peer(t, "daemontools", dir, "svok", name); got != (outcome{}) {
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
		await(t, sig.String(), func() bool {
			b, _ := os.ReadFile(dir + "/web/signal")
			return string(b) == sig.String()
		})
	}
	send("d")
	shows("down N seconds, normally up")
	send("u")
	ready(t, dir)
	shows("up (pid N) N seconds")
	send("t")
	ready(t, dir)
	send("o", "t") // once, and that was it
	shows("down N seconds, normally up")
	send("o")
	ready(t, dir)
	shows("up (pid N) N seconds")
	send("k")
	shows("down N seconds, normally up")
	send("x")
	shows("supervise not running")
	if got := peer(t, "daemontools", dir, "svok", "web"); got != (outcome{code: 100}) {
		t.Errorf("svok: %+v", got)
	}
}

func TestRunitOnOurs(t *testing.T) {
	dir := scanned(t)
	ready(t, dir)
	sv := func(want string, args ...string) {
		t.Helper()
		got := peer(t, "runit", dir, "sv", append([]string{"-w", "15"}, args...)...)
		if line := numbers.ReplaceAllString(got.stdout, "N"); line != want || got.stderr != "" {
			t.Errorf("sv %s: %+v, want %q", args, got, want)
		}
	}
	sv("ok: run: ./web: (pid N) Ns\n", "start", "./web")
	sv("ok: down: ./web: Ns, normally up\n", "stop", "./web")
	sv("ok: run: ./web: (pid N) Ns\n", "start", "./web")
	ready(t, dir)
	sv("ok: run: ./web: (pid N) Ns\n", "restart", "./web")
	ready(t, dir)
	sv("ok: run: ./web: (pid N) Ns, paused\n", "pause", "./web")
	sv("ok: run: ./web: (pid N) Ns\n", "cont", "./web")
	for word, sig := range map[string]syscall.Signal{
		"hup": syscall.SIGHUP, "alarm": syscall.SIGALRM, "interrupt": syscall.SIGINT,
		"quit": syscall.SIGQUIT, "1": syscall.SIGUSR1, "2": syscall.SIGUSR2,
	} {
		if got := peer(t, "runit", dir, "sv", word, "./web"); got != (outcome{}) {
			t.Errorf("sv %s: %+v", word, got)
		}
		await(t, sig.String(), func() bool {
			b, _ := os.ReadFile(dir + "/web/signal")
			return string(b) == sig.String()
		})
	}
	sv("ok: down: ./web: Ns, normally up\n", "force-stop", "./web")
	sv("down: ./web: Ns, normally up; run: log: (pid N) Ns\n", "status", "./web")
}
