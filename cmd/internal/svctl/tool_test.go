package svctl

import (
	"bytes"
	"flag"
	"io"
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

// TestMain runs the tests or, depending on the variable actAsTool, a tool or a service.
func TestMain(m *testing.M) {
	switch os.Getenv(actAsTool) {
	case "":
		// Most tests wait for a timeout of the real sv.
		flag.Set("test.parallel", "24")
		os.Exit(difftest.Main(m))
	case "service":
		os.Exit(runTestService())
	case "scanner": // of a scan directory, until its standard input ends
		svdir.ClaimScanDir(os.Getenv("SVINIT_SERVICE_DIR"))
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	c := applet.Table{&Svc, &Svstat, &Svok, &Sv, &Svwait}.Find(os.Getenv(actAsTool))
	os.Exit(c.Main(&applet.Env{
		Name: c.Name, Args: os.Args[1:],
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Environ: os.Environ,
	}))
}

const actAsTool = "SVCTL_TEST_TOOL"

// nobody is the ID of an unprivileged user.
const nobody = 65534

// invocation is the start of a tool.
type invocation struct {
	tool string
	args []string
	dir  string
	env  []string // the environment, besides SVINIT_SERVICE_DIR
	uid  uint32   // 0 for our own
}

// outcome is the output and exit code of a tool.
type outcome struct {
	stdout, stderr string
	code           int
}

// ours prepares our tool. Its path is in /proc, because other users have no access to the
// directory of the test binary.
func (i invocation) ours() *exec.Cmd {
	cmd := i.command("/proc/self/exe")
	// The race detector sleeps for a second at every exit by default.
	cmd.Env = append(cmd.Env, actAsTool+"="+i.tool, "GORACE=atexit_sleep_ms=0")
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

// runTool runs the tool and waits for its exit.
func runTool(t *testing.T, cmd *exec.Cmd) outcome {
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
	timeout := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	cmd.Wait()
	if !timeout.Stop() {
		t.Errorf("%q does not exit", cmd.Args)
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

// openDir returns a temporary directory that other users can access.
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

// waitFor waits until ok returns true. It polls, because the condition depends on another
// process.
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

// makeSupervised makes dir a service that this process supervises.
func makeSupervised(t *testing.T, dir string) *svdir.Held {
	t.Helper()
	return holdState(t, dir+"/supervise")
}

func holdState(t *testing.T, state string) *svdir.Held {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(state), 0o755))
	h, err := svdir.Hold(state)
	must(t, err)
	t.Cleanup(h.Release)
	must(t, h.WriteStatus(svdir.Status{Since: inTheFuture, Want: svdir.WantUp}))
	must(t, h.Announce())
	return h
}

// inTheFuture is after the end of all tests: the tools print the age 0 for it.
var inTheFuture = time.Now().Add(time.Hour)

// readCommands returns the commands that have been sent to the service.
func readCommands(t *testing.T, h *svdir.Held) string {
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
