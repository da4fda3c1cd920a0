package svctl

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"svinit/cmd/internal/applet"
	"svinit/cmd/internal/difftest"
	"svinit/services/svdir"
)

// TestMain is also the tools and a service, as the value of asTool says.
func TestMain(m *testing.M) {
	switch os.Getenv(asTool) {
	case "":
		// Most tests wait for a time-out of the real sv.
		flag.Set("test.parallel", "24")
		os.Exit(difftest.Main(m))
	case "service":
		os.Exit(service())
	}
	c := applet.Table{&Svc, &Svstat, &Svok, &Sv, &Svwait}.Find(os.Getenv(asTool))
	os.Exit(c.Main(&applet.Env{
		Name: c.Name, Args: os.Args[1:],
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Environ: os.Environ,
	}))
}

const asTool = "SVCTL_TEST_TOOL"

// nobody is the user who is kept out where root could not be.
const nobody = 65534

// invocation is a tool as it is started.
type invocation struct {
	tool string
	args []string
	dir  string
	env  []string // on top of nothing
	uid  uint32   // 0: our own
}

// outcome is all that a caller sees of a tool.
type outcome struct {
	stdout, stderr string
	code           int
}

// ours prepares our tool. It is found through /proc, which needs no way to the
// test binary: other users have none.
func (i invocation) ours() *exec.Cmd {
	cmd := i.command("/proc/self/exe")
	// The race detector would sleep a second at every exit.
	cmd.Env = append(cmd.Env, asTool+"="+i.tool, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// real prepares the tool of Debian's daemontools.
func (i invocation) real(t *testing.T) *exec.Cmd {
	t.Helper()
	return i.command(lookPath(t, i.tool, "daemontools"))
}

func (i invocation) command(path string) *exec.Cmd {
	cmd := &exec.Cmd{Path: path, Args: append([]string{i.tool}, i.args...), Dir: i.dir}
	cmd.Env = append([]string{"SVINIT_SERVICE_DIR=/nonexistent"}, i.env...)
	if i.uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: i.uid, Gid: i.uid}}
	}
	return cmd
}

// run runs the tool to its end.
func run(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &stderr
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	cmd.Wait()
	if !late.Stop() {
		t.Errorf("%q does not end", cmd.Args)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func lookPath(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is missing: apt-get install %s", program, pkg)
	}
	return path
}

// openDir is a temporary directory that other users can reach.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && len(d) > 1; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
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

// supervised makes dir a service that is supervised by this process, and
// returns what its control receives.
func supervised(t *testing.T, dir string) *svdir.Held {
	t.Helper()
	return heldAt(t, dir+"/supervise")
}

func heldAt(t *testing.T, state string) *svdir.Held {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(state), 0o755))
	h, err := svdir.Hold(state)
	must(t, err)
	t.Cleanup(h.Release)
	must(t, h.WriteStatus(svdir.Status{Since: soon, Want: svdir.WantUp}))
	must(t, h.Announce())
	return h
}

// soon is later than any test: the age of its stamp is 0 whenever it is asked.
var soon = time.Now().Add(time.Hour)

// received returns the commands that have come.
func received(t *testing.T, h *svdir.Held) string {
	t.Helper()
	var all strings.Builder
	b := make([]byte, 512)
	for {
		n, err := h.ReadControl(b)
		must(t, err)
		if n == 0 {
			return all.String()
		}
		all.Write(b[:n])
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
