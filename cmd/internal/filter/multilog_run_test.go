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

// patience is how long something may take that does not depend on a pause.
const patience = 20 * time.Second

// running is a multilog of ours with a pipe to write to.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	dir    string
	in     *os.File
	out    *os.File // the pipe's other end, as the next multilog has it
	stderr *os.File
}

func start(t *testing.T, dir string, script ...string) *running {
	t.Helper()
	out, in, err := os.Pipe()
	must(t, err)
	return startOn(t, dir, in, out, script...)
}

func startOn(t *testing.T, dir string, in, out *os.File, script ...string) *running {
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
	return &running{t, cmd, dir, in, out, stderr}
}

func (r *running) say(text string) {
	r.t.Helper()
	_, err := io.WriteString(r.in, text)
	must(r.t, err)
}

func (r *running) signal(s os.Signal) {
	r.t.Helper()
	must(r.t, r.cmd.Process.Signal(s))
}

// ends waits for its end and returns the exit code.
func (r *running) ends() int {
	r.t.Helper()
	late := time.AfterFunc(patience, func() { r.cmd.Process.Kill() })
	r.cmd.Wait()
	if !late.Stop() {
		r.t.Errorf("%q does not end", r.cmd.Args)
	}
	return r.cmd.ProcessState.ExitCode()
}

func (r *running) said() string {
	b, err := os.ReadFile(r.stderr.Name())
	must(r.t, err)
	return string(b)
}

// await waits until something is so.
func (r *running) await(what string, so func() bool) {
	r.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); !so(); {
		select {
		case <-end:
			r.t.Fatalf("not so: %s; it said %q", what, r.said())
		case <-tick.C:
		}
	}
}

func (r *running) awaitFile(name, content string) {
	r.t.Helper()
	r.await(name+" has "+content, func() bool { b, _ := os.ReadFile(filepath.Join(r.dir, name)); return string(b) == content })
}

func (r *running) awaitSaid(text string) {
	r.t.Helper()
	r.await("it says "+text, func() bool { return strings.Contains(r.said(), text) })
}

// awaitTaken waits until a signal has been acted upon.
func (r *running) awaitTaken() {
	r.t.Helper()
	r.await("the signal is taken", func() bool { return !pending(r.t, r.cmd.Process.Pid) })
	r.await("it sleeps", func() bool { return sleeping(r.t, r.cmd.Process.Pid) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// glob counts the files of a pattern in the directory.
func (r *running) glob(pattern string) int {
	names, _ := filepath.Glob(filepath.Join(r.dir, pattern))
	return len(names)
}

func TestMultilogTermWhenIdle(t *testing.T) {
	r := start(t, t.TempDir(), "./d")
	r.say("one\n")
	r.awaitFile("d/current", "one\n")
	r.signal(syscall.SIGTERM)
	if code := r.ends(); code != 0 || r.said() != "" {
		t.Errorf("exit %d, said %q", code, r.said())
	}
	if fi, err := os.Stat(filepath.Join(r.dir, "d/current")); err != nil || fi.Mode() != 0o744 {
		t.Errorf("current: %v %v", fi, err)
	}
}

// TestMultilogTermInLine: TERM in the middle of a line reads to its end and not
// a byte more; the next multilog goes on there.
func TestMultilogTermInLine(t *testing.T) {
	for _, long := range []string{"beginning ", strings.Repeat("long ", 700)} {
		dir := t.TempDir()
		r := start(t, dir, "./d")
		r.say("one\n" + long)
		r.await("all is read", func() bool { n, _ := unix.IoctlGetInt(int(r.out.Fd()), unix.TIOCINQ); return n == 0 })
		r.signal(syscall.SIGTERM)
		// It must have noticed before the rest comes, else it may read more.
		r.awaitTaken()
		r.say("end\ntwo\nthr")
		if code := r.ends(); code != 0 {
			t.Errorf("exit %d, said %q", code, r.said())
		}
		r.awaitFile("d/current", "one\n"+long+"end\n")
		next := startOn(t, dir, r.in, r.out, "./d")
		next.say("ee\n")
		next.awaitFile("d/current", "one\n"+long+"end\ntwo\nthree\n")
		next.signal(syscall.SIGTERM)
		next.ends()
	}
}

// pending reports whether a signal waits to be taken.
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

// TestMultilogAlarm: ALRM rotates what has something in it, also at rest.
func TestMultilogAlarm(t *testing.T) {
	r := start(t, t.TempDir(), "./a", "-*", "./b")
	r.say("one\n")
	r.awaitFile("a/current", "one\n")
	r.signal(syscall.SIGALRM)
	r.await("a is rotated", func() bool { return r.glob("a/@*.s") == 1 })
	r.awaitFile("a/current", "")
	r.signal(syscall.SIGALRM)
	r.awaitTaken() // of nothing there is nothing to rotate
	r.say("two\n")
	r.awaitFile("a/current", "two\n")
	r.signal(syscall.SIGALRM)
	r.await("a is rotated again", func() bool { return r.glob("a/@*.s") == 2 })
	r.in.Close()
	if code := r.ends(); code != 0 || r.glob("a/@*") != 2 || r.glob("b/@*") != 0 {
		t.Errorf("exit %d, %d and %d files", code, r.glob("a/@*"), r.glob("b/@*"))
	}
}

// tiny mounts a file system of some pages on dir/d.
func tiny(t *testing.T, pages int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	d := filepath.Join(dir, "d")
	must(t, os.Mkdir(d, 0o700))
	must(t, syscall.Mount("tmpfs", d, "tmpfs", 0, "size="+strconv.Itoa(pages*4)+"k"))
	t.Cleanup(func() { syscall.Unmount(d, syscall.MNT_DETACH) })
	return dir
}

// TestMultilogFullDisk: it waits, its writer waits, and nothing is lost when
// there is room again.
func TestMultilogFullDisk(t *testing.T) {
	dir := tiny(t, 8)
	must(t, os.WriteFile(filepath.Join(dir, "d", "filler"), make([]byte, 4*4096), 0o600))
	r := start(t, dir, "s16777215", "./d")
	text := numbered(400, 100)
	written := make(chan struct{})
	go func() { io.WriteString(r.in, text); r.in.Close(); close(written) }()
	r.awaitSaid("multilog: warning: unable to write to ./d/current, pausing: out of disk space\n")
	must(t, os.Remove(filepath.Join(dir, "d", "filler")))
	must(t, syscall.Mount("", filepath.Join(dir, "d"), "", syscall.MS_REMOUNT, "size=200k"))
	<-written
	if code := r.ends(); code != 0 {
		t.Errorf("exit %d", code)
	}
	r.awaitFile("d/current", text)
}

// TestMultilogTermOnFullDisk: TERM ends it in a pause too. It says what is lost,
// what is on disk is there, and what was not read is there for the next.
func TestMultilogTermOnFullDisk(t *testing.T) {
	dir := tiny(t, 4)
	r := start(t, dir, "s16777215", "./d", "./other")
	text := numbered(300, 100)
	r.say(text)
	r.awaitSaid("pausing: out of disk space\n")
	r.say("unread\n")
	r.signal(syscall.SIGTERM)
	if code := r.ends(); code != 111 {
		t.Errorf("exit %d", code)
	}
	got, err := os.ReadFile(filepath.Join(dir, "d/current"))
	must(t, err)
	lost := len(text) - len(got)
	want := "multilog: warning: unable to write to ./d/current, pausing: out of disk space\n" +
		"multilog: warning: unable to write to ./d/current, giving up: out of disk space\n" +
		"multilog: fatal: lost " + strconv.Itoa(lost) + " bytes that ./d has no room for: out of disk space\n"
	if said := r.said(); said != want || !strings.HasPrefix(text, string(got)) {
		t.Errorf("said %q, want %q", said, want)
	}
	r.awaitFile("other/current", text)
	if fi, err := os.Stat(filepath.Join(dir, "d/current")); err != nil || fi.Mode() != 0o644 {
		t.Errorf("current: %v %v", fi.Mode(), err)
	}
	rest := make([]byte, 100)
	if n, _ := r.out.Read(rest); string(rest[:n]) != "unread\n" {
		t.Errorf("left in the pipe: %q", rest[:n])
	}
}

// TestMultilogTermAndRoom: at TERM there is room again, and nothing is lost.
func TestMultilogTermAndRoom(t *testing.T) {
	dir := tiny(t, 4)
	r := start(t, dir, "s16777215", "./d")
	text := numbered(300, 100)
	r.say(text)
	r.awaitSaid("pausing: out of disk space\n")
	must(t, syscall.Mount("", filepath.Join(dir, "d"), "", syscall.MS_REMOUNT, "size=400k"))
	r.signal(syscall.SIGTERM)
	if code := r.ends(); code != 0 {
		t.Errorf("exit %d, said %q", code, r.said())
	}
	r.awaitFile("d/current", text)
}

// TestMultilogTermAndProcessor: TERM ends it while its processor fails; every
// line is in the directory, and the next multilog keeps it.
func TestMultilogTermAndProcessor(t *testing.T) {
	for _, c := range []struct{ processor, says string }{
		{"!exit 3", "processor failed in ./d"}, {"!kill -9 $$", "processor crashed in ./d"},
	} {
		dir := t.TempDir()
		r := start(t, dir, "s4096", c.processor, "./d")
		text := numbered(300, 90)
		r.say(text)
		r.awaitSaid(c.says + ", pausing\n")
		r.signal(syscall.SIGTERM)
		if code := r.ends(); code != 0 || !strings.HasSuffix(r.said(), c.says+", giving up\n") {
			t.Errorf("exit %d, said %q", code, r.said())
		}
		next := start(t, dir, "s4096", "n9", "./d")
		next.in.Close()
		if code := next.ends(); code != 0 || r.glob("d/@*.u") != 2 || r.glob("d/previous") != 0 {
			t.Errorf("exit %d, %d files", code, r.glob("d/@*.u"))
		}
		if got := contents(t, filepath.Join(dir, "d"), 1<<20); string(got) != text {
			t.Errorf("%d bytes of %d are left", len(got), len(text))
		}
	}
}

// TestMultilogProcessorTwice: what fails once and then succeeds.
func TestMultilogProcessorTwice(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, "s4096", "!cat; [ -e ../now ] || { : >../now; exit 1; }", "./d")
	text := numbered(60, 90)
	r.say(text)
	r.awaitSaid("multilog: warning: processor failed in ./d, pausing\n")
	r.in.Close()
	if code := r.ends(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if got := contents(t, filepath.Join(dir, "d"), 4096); string(got) != text {
		t.Errorf("%q", got)
	}
}

// TestMultilogBrokenStderr: a reader of standard error that has gone costs what
// goes there and nothing else.
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

// TestMultilogLocked: two cannot write to one directory.
func TestMultilogLocked(t *testing.T) {
	r := start(t, t.TempDir(), "./d")
	r.say("one\n")
	r.awaitFile("d/current", "one\n")
	second := start(t, r.dir, "./d")
	if code := second.ends(); code != 111 || second.said() != "multilog: fatal: unable to lock directory ./d: temporary failure\n" {
		t.Errorf("exit %d, said %q", code, second.said())
	}
	r.in.Close()
	r.ends()
}
