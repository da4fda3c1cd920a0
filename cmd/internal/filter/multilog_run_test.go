package filter

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/difftest"
)

// testTimeout bounds everything that does not wait for retryDelay.
const testTimeout = 20 * time.Second

// process is our multilog with a pipe as standard input.
type process struct {
	t          *testing.T
	cmd        *exec.Cmd
	dir        string
	pipeWriter *os.File
	pipeReader *os.File // standard input of this and of the next multilog
	stderr     *os.File
}

func start(t *testing.T, dir string, script ...string) *process {
	t.Helper()
	out, in, err := os.Pipe()
	must(t, err)
	return startOn(t, dir, in, out, script...)
}

func startOn(t *testing.T, dir string, in, out *os.File, script ...string) *process {
	t.Helper()
	stderr, err := os.CreateTemp(t.TempDir(), "stderr")
	must(t, err)
	cmd := &exec.Cmd{Path: difftest.Binary(), Args: append([]string{"multilog"}, script...), Dir: dir, Stdin: out, Stderr: stderr}
	must(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		out.Close()
		stderr.Close()
		cmd.Process.Kill()
	})
	return &process{t, cmd, dir, in, out, stderr}
}

func (r *process) write(text string) {
	r.t.Helper()
	_, err := io.WriteString(r.pipeWriter, text)
	must(r.t, err)
}

func (r *process) signal(s os.Signal) {
	r.t.Helper()
	must(r.t, r.cmd.Process.Signal(s))
}

// wait waits until it exits and returns the exit code.
func (r *process) wait() int {
	r.t.Helper()
	timeout := time.AfterFunc(testTimeout, func() { r.cmd.Process.Kill() })
	r.cmd.Wait()
	if !timeout.Stop() {
		r.t.Errorf("%q does not exit", r.cmd.Args)
	}
	return r.cmd.ProcessState.ExitCode()
}

func (r *process) stderrText() string {
	b, err := os.ReadFile(r.stderr.Name())
	must(r.t, err)
	return string(b)
}

// waitFor waits until a condition holds.
func (r *process) waitFor(what string, so func() bool) {
	r.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(testTimeout); !so(); {
		select {
		case <-end:
			r.t.Fatalf("timeout: %s; stderr: %q", what, r.stderrText())
		case <-tick.C:
		}
	}
}

func (r *process) waitFile(name, content string) {
	r.t.Helper()
	r.waitFor(name+" has "+content, func() bool { b, _ := os.ReadFile(filepath.Join(r.dir, name)); return string(b) == content })
}

func (r *process) waitStderr(text string) {
	r.t.Helper()
	r.waitFor("stderr has "+text, func() bool { return strings.Contains(r.stderrText(), text) })
}

// waitHandled waits until a signal has been handled.
func (r *process) waitHandled() {
	r.t.Helper()
	r.waitFor("the signal is taken", func() bool { return !pending(r.t, r.cmd.Process.Pid) })
	r.waitFor("it sleeps", func() bool { return sleeping(r.t, r.cmd.Process.Pid) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// glob counts the files in the directory that match a pattern.
func (r *process) glob(pattern string) int {
	names, _ := filepath.Glob(filepath.Join(r.dir, pattern))
	return len(names)
}

func TestMultilogTermWhenIdle(t *testing.T) {
	r := start(t, t.TempDir(), "./d")
	r.write("one\n")
	r.waitFile("d/current", "one\n")
	r.signal(syscall.SIGTERM)
	if code := r.wait(); code != 0 || r.stderrText() != "" {
		t.Errorf("exit %d, stderr %q", code, r.stderrText())
	}
	if fi, err := os.Stat(filepath.Join(r.dir, "d/current")); err != nil || fi.Mode() != 0o744 {
		t.Errorf("current: %v %v", fi, err)
	}
}

// TestMultilogTermInLine checks that after TERM in the middle of a line multilog
// reads to its end and not a byte more; the next multilog continues there.
func TestMultilogTermInLine(t *testing.T) {
	for _, long := range []string{"beginning ", strings.Repeat("long ", 700)} {
		dir := t.TempDir()
		r := start(t, dir, "./d")
		r.write("one\n" + long)
		r.waitFor("all is read", func() bool { n, _ := unix.IoctlGetInt(int(r.pipeReader.Fd()), unix.TIOCINQ); return n == 0 })
		r.signal(syscall.SIGTERM)
		// It must handle the signal before we write the rest, else it may read more.
		r.waitHandled()
		r.write("end\ntwo\nthr")
		if code := r.wait(); code != 0 {
			t.Errorf("exit %d, stderr %q", code, r.stderrText())
		}
		r.waitFile("d/current", "one\n"+long+"end\n")
		next := startOn(t, dir, r.pipeWriter, r.pipeReader, "./d")
		next.write("ee\n")
		next.waitFile("d/current", "one\n"+long+"end\ntwo\nthree\n")
		next.signal(syscall.SIGTERM)
		next.wait()
	}
}

// pending reports whether a signal is pending.
func pending(t *testing.T, pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	must(t, err)
	for line := range strings.Lines(string(b)) {
		if after, ok := strings.CutPrefix(line, "ShdPnd:"); ok && strings.Trim(after, "\t\n0") != "" {
			return true
		}
	}
	return false
}

// sleeping reports whether all threads sleep.
func sleeping(t *testing.T, pid int) bool {
	names, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/stat")
	must(t, err)
	for _, name := range names {
		b, _ := os.ReadFile(name)
		if _, after, _ := bytes.Cut(b, []byte(") ")); !bytes.HasPrefix(after, []byte("S")) {
			return false
		}
	}
	return len(names) > 0
}

// TestMultilogAlarm checks that ALRM rotates the logs that are not empty, also while
// there is no input.
func TestMultilogAlarm(t *testing.T) {
	r := start(t, t.TempDir(), "./a", "-*", "./b")
	r.write("one\n")
	r.waitFile("a/current", "one\n")
	r.signal(syscall.SIGALRM)
	r.waitFor("a is rotated", func() bool { return r.glob("a/@*.s") == 1 })
	r.waitFile("a/current", "")
	r.signal(syscall.SIGALRM)
	r.waitHandled() // an empty log is not rotated
	r.write("two\n")
	r.waitFile("a/current", "two\n")
	r.signal(syscall.SIGALRM)
	r.waitFor("a is rotated again", func() bool { return r.glob("a/@*.s") == 2 })
	r.pipeWriter.Close()
	if code := r.wait(); code != 0 || r.glob("a/@*") != 2 || r.glob("b/@*") != 0 {
		t.Errorf("exit %d, %d and %d files", code, r.glob("a/@*"), r.glob("b/@*"))
	}
}

// smallTmpfs mounts a file system of some pages on dir/d.
func smallTmpfs(t *testing.T, pages int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	d := filepath.Join(dir, "d")
	must(t, os.Mkdir(d, 0o700))
	must(t, syscall.Mount("tmpfs", d, "tmpfs", 0, "size="+strconv.Itoa(pages*4)+"k"))
	t.Cleanup(func() { syscall.Unmount(d, syscall.MNT_DETACH) })
	return dir
}

// TestMultilogFullDisk checks that multilog and its writer wait while the disk is
// full, and that no line is lost.
func TestMultilogFullDisk(t *testing.T) {
	dir := smallTmpfs(t, 8)
	must(t, os.WriteFile(filepath.Join(dir, "d", "filler"), make([]byte, 4*4096), 0o600))
	r := start(t, dir, "s16777215", "./d")
	text := numberedLines(400, 100)
	written := make(chan struct{})
	go func() { io.WriteString(r.pipeWriter, text); r.pipeWriter.Close(); close(written) }()
	r.waitStderr("multilog: warning: unable to write to ./d/current, pausing: out of disk space\n")
	must(t, os.Remove(filepath.Join(dir, "d", "filler")))
	must(t, syscall.Mount("", filepath.Join(dir, "d"), "", syscall.MS_REMOUNT, "size=200k"))
	<-written
	if code := r.wait(); code != 0 {
		t.Errorf("exit %d", code)
	}
	r.waitFile("d/current", text)
}

// TestMultilogTermOnFullDisk checks that TERM ends it during a pause too. It reports
// how much is lost; input that it has not read stays in the pipe.
func TestMultilogTermOnFullDisk(t *testing.T) {
	dir := smallTmpfs(t, 4)
	r := start(t, dir, "s16777215", "./d", "./other")
	text := numberedLines(300, 100)
	r.write(text)
	r.waitStderr("pausing: out of disk space\n")
	r.write("unread\n")
	r.signal(syscall.SIGTERM)
	if code := r.wait(); code != 111 {
		t.Errorf("exit %d", code)
	}
	got, err := os.ReadFile(filepath.Join(dir, "d/current"))
	must(t, err)
	lost := len(text) - len(got)
	want := "multilog: warning: unable to write to ./d/current, pausing: out of disk space\n" +
		"multilog: warning: unable to write to ./d/current, giving up: out of disk space\n" +
		"multilog: fatal: lost " + strconv.Itoa(lost) + " bytes that ./d has no room for: out of disk space\n"
	if stderr := r.stderrText(); stderr != want || !strings.HasPrefix(text, string(got)) {
		t.Errorf("stderr %q, want %q", stderr, want)
	}
	r.waitFile("other/current", text)
	if fi, err := os.Stat(filepath.Join(dir, "d/current")); err != nil || fi.Mode() != 0o644 {
		t.Errorf("current: %v %v", fi.Mode(), err)
	}
	rest := make([]byte, 100)
	if n, _ := r.pipeReader.Read(rest); string(rest[:n]) != "unread\n" {
		t.Errorf("left in the pipe: %q", rest[:n])
	}
}

// TestMultilogTermAfterSpaceFreed checks that nothing is lost if there is space again
// at the time of TERM.
func TestMultilogTermAfterSpaceFreed(t *testing.T) {
	dir := smallTmpfs(t, 4)
	r := start(t, dir, "s16777215", "./d")
	text := numberedLines(300, 100)
	r.write(text)
	r.waitStderr("pausing: out of disk space\n")
	must(t, syscall.Mount("", filepath.Join(dir, "d"), "", syscall.MS_REMOUNT, "size=400k"))
	r.signal(syscall.SIGTERM)
	if code := r.wait(); code != 0 {
		t.Errorf("exit %d, stderr %q", code, r.stderrText())
	}
	r.waitFile("d/current", text)
}

// TestMultilogTermWithFailingProcessor checks that TERM ends it while its processor
// fails; every line is in the directory, and the next multilog keeps it.
func TestMultilogTermWithFailingProcessor(t *testing.T) {
	for _, c := range []struct{ processor, says string }{
		{"!exit 3", "processor failed in ./d"}, {"!kill -9 $$", "processor crashed in ./d"},
	} {
		dir := t.TempDir()
		r := start(t, dir, "s4096", c.processor, "./d")
		text := numberedLines(300, 90)
		r.write(text)
		r.waitStderr(c.says + ", pausing\n")
		r.signal(syscall.SIGTERM)
		if code := r.wait(); code != 0 || !strings.HasSuffix(r.stderrText(), c.says+", giving up\n") {
			t.Errorf("exit %d, stderr %q", code, r.stderrText())
		}
		next := start(t, dir, "s4096", "n9", "./d")
		next.pipeWriter.Close()
		if code := next.wait(); code != 0 || r.glob("d/@*.u") != 2 || r.glob("d/previous") != 0 {
			t.Errorf("exit %d, %d files", code, r.glob("d/@*.u"))
		}
		if got := readLog(t, filepath.Join(dir, "d"), 1<<20); string(got) != text {
			t.Errorf("%d bytes of %d are left", len(got), len(text))
		}
	}
}

// TestMultilogProcessorRetried has a processor that fails once and then succeeds.
func TestMultilogProcessorRetried(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, "s4096", "!cat; [ -e ../now ] || { : >../now; exit 1; }", "./d")
	text := numberedLines(60, 90)
	r.write(text)
	r.waitStderr("multilog: warning: processor failed in ./d, pausing\n")
	r.pipeWriter.Close()
	if code := r.wait(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if got := readLog(t, filepath.Join(dir, "d"), 4096); string(got) != text {
		t.Errorf("%q", got)
	}
}

// TestMultilogBrokenStderr checks that with a closed standard error only the output
// to it is lost.
func TestMultilogBrokenStderr(t *testing.T) {
	out, in, err := os.Pipe()
	must(t, err)
	out.Close()
	cmd := &exec.Cmd{Path: difftest.Binary(), Args: []string{"multilog", "e", "./d"}, Dir: t.TempDir(), Stdin: strings.NewReader("one\ntwo\n"), Stderr: in}
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(filepath.Join(cmd.Dir, "d/current")); string(b) != "one\ntwo\n" {
		t.Errorf("%q", b)
	}
}

// TestMultilogLocked checks that two cannot write to the same directory.
func TestMultilogLocked(t *testing.T) {
	r := start(t, t.TempDir(), "./d")
	r.write("one\n")
	r.waitFile("d/current", "one\n")
	second := start(t, r.dir, "./d")
	if code := second.wait(); code != 111 || second.stderrText() != "multilog: fatal: unable to lock directory ./d: temporary failure\n" {
		t.Errorf("exit %d, stderr %q", code, second.stderrText())
	}
	r.pipeWriter.Close()
	r.wait()
}
