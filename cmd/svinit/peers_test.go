package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
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

// patient is a service that tells when it can be signalled, and by which
// signals it was.
const patient = `#!/bin/sh
for s in HUP ALRM INT QUIT USR1 USR2; do trap "echo $s >signal" $s; done
trap 'kill $!; exit' TERM
sleep 1000 &
echo >ready
while :; do wait; done
`

// scanned starts our svscan on a directory with the service web and its
// logger, and returns the directory.
func scanned(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir+"/web/run", patient)
	put(t, dir+"/web/log/run", "#!/bin/sh\nexec cat >/dev/null\n")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = []string{"svscan", dir}
	cmd.Env = append(os.Environ(), asMain+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
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
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Skipf("%s is missing: apt-get install %s", tool, pkg)
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
	for letter, name := range map[string]string{"h": "HUP", "a": "ALRM", "i": "INT"} {
		send(letter)
		await(t, name, func() bool {
			b, _ := os.ReadFile(dir + "/web/signal")
			return string(b) == name+"\n"
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
	const log = "; run: log: (pid N) Ns\n"
	sv("ok: run: ./web: (pid N) Ns"+log, "start", "./web")
	sv("ok: down: ./web: Ns, normally up"+log, "stop", "./web")
	sv("ok: run: ./web: (pid N) Ns"+log, "start", "./web")
	ready(t, dir)
	sv("ok: run: ./web: (pid N) Ns"+log, "restart", "./web")
	ready(t, dir)
	sv("ok: run: ./web: (pid N) Ns, paused"+log, "pause", "./web")
	sv("ok: run: ./web: (pid N) Ns"+log, "cont", "./web")
	for word, name := range map[string]string{"hup": "HUP", "alarm": "ALRM", "interrupt": "INT", "quit": "QUIT", "1": "USR1", "2": "USR2"} {
		if got := peer(t, "runit", dir, "sv", word, "./web"); got != (outcome{}) {
			t.Errorf("sv %s: %+v", word, got)
		}
		await(t, name, func() bool {
			b, _ := os.ReadFile(dir + "/web/signal")
			return string(b) == name+"\n"
		})
	}
	sv("ok: down: ./web: Ns, normally up"+log, "force-stop", "./web")
	sv("down: ./web: Ns, normally up"+log, "status", "./web")
}
