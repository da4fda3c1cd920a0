// Package difftest is for tests only: it gives a program of Debian's and the
// tool of ours that has its name the same arguments, input, environment and
// files, and compares all that is to be seen afterwards: standard output and
// error, the exit code, and the files.
//
// Ours is the product itself, built once by [Main].
//
// A case in which ours differs on purpose names a row of doc/differences.md,
// and fails when there is no such row, or when nothing differs.
package difftest

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Case is one start of a program.
type Case struct {
	Tool  string   // its name, as argv[0]
	Args  []string // without the name
	Stdin string   // "" is an empty file
	Env   []string // all of it, but for PATH, which is always there
	// Files are made in the empty directory in which the program starts: the
	// content by name; NAME/ is a directory, NAME@ a link to the content.
	Files   map[string]string
	Setup   func(dir string) error // what Files cannot say; runs in each of the two directories
	UID     uint32                 // and gid of whom it runs as; 0 is root
	Path    string                 // of Debian's program; "" is looked up by Tool
	Before  func(cmd *exec.Cmd)    // what else is to be set: closed streams, a signal once it has started
	Mask    func(string) string    // hides what cannot be the same, such as process ids, on top of time stamps
	Differs string                 // the id of a row of doc/differences.md: "" where nothing may differ
}

// An Outcome is what a program left behind.
type Outcome struct {
	Stdout, Stderr string
	Code           int    // -1 and the signal in Killed when it was killed
	Killed         string // as in "segmentation fault"
	Files          string // a line a file, and what is in it
}

// limit is how long a program may take.
const limit = 30 * time.Second

// binary is ours, built by Main.
var binary string

// Main builds the product and runs the tests. It is all that TestMain does:
//
//	func TestMain(m *testing.M) { os.Exit(difftest.Main(m)) }
func Main(m *testing.M) int {
	// What is ignored from before, as under nohup, would be so in all that we
	// start; what is caught is not.
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
	dir, err := os.MkdirTemp("", "difftest")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755) // other users run it too
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(dir, "svinit")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "svinit/cmd/svinit")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Binary is the path of the product.
func Binary() string { return binary }

// Real is the path of Debian's program, of that package. Without it the test
// is skipped, which .ci/run does not let pass.
func Real(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is missing: apt-get install %s", program, pkg)
	}
	return path
}

// Compare runs the case with both programs and fails where they differ, or
// where they do not although Differs says so. It returns both outcomes.
func Compare(t *testing.T, c Case, pkg string) (theirs, ours Outcome) {
	t.Helper()
	real := c.Path
	if real == "" {
		real = Real(t, c.Tool, pkg)
	}
	theirs, ours = c.Run(t, real), c.Run(t, binary)
	if c.Differs != "" {
		if theirs == ours {
			t.Errorf("%s %q: nothing differs, but %s says so", c.Tool, c.Args, c.Differs)
		}
		if !listed(t, c.Differs) {
			t.Errorf("doc/differences.md has no row %s", c.Differs)
		}
		return theirs, ours
	}
	if theirs != ours {
		t.Errorf("%s %q\ntheirs: %s\nours:   %s", c.Tool, c.Args, theirs, ours)
	}
	return theirs, ours
}

// Run runs the program at path in a fresh directory.
func (c Case) Run(t *testing.T, path string) Outcome {
	t.Helper()
	dir := OpenDir(t)
	c.fill(t, dir)
	stdin, err := os.CreateTemp(t.TempDir(), "stdin")
	must(t, err)
	defer stdin.Close()
	_, err = stdin.WriteString(c.Stdin)
	must(t, err)
	_, err = stdin.Seek(0, 0)
	must(t, err)
	var stdout, stderr bytes.Buffer
	cmd := &exec.Cmd{
		Path: path, Args: append([]string{c.Tool}, c.Args...), Dir: dir,
		Env:   append([]string{"PATH=" + os.Getenv("PATH")}, c.Env...),
		Stdin: stdin, Stdout: &stdout, Stderr: &stderr,
		// Its descendants may keep the streams: they are not waited for without end.
		WaitDelay: limit,
	}
	if c.UID != 0 {
		must(t, filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(name, int(c.UID), int(c.UID))
		}))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.UID, Gid: c.UID}}
	}
	if c.Before != nil {
		c.Before(cmd)
	}
	must(t, cmd.Start())
	late := time.AfterFunc(limit, func() { cmd.Process.Kill() })
	cmd.Wait()
	if !late.Stop() {
		t.Errorf("%s %q does not end", path, c.Args)
	}
	mask := func(s string) string {
		s = Stamps(strings.ReplaceAll(s, dir, "DIR"))
		if c.Mask != nil {
			s = c.Mask(s)
		}
		return s
	}
	o := Outcome{Stdout: mask(stdout.String()), Stderr: mask(stderr.String()), Code: cmd.ProcessState.ExitCode(), Files: mask(tree(t, dir))}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		o.Killed = status.Signal().String()
	}
	return o
}

// OpenDir is a temporary directory that other users can reach.
func OpenDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && len(d) > 1; d = filepath.Dir(d) {
		must(t, os.Chmod(d, 0o755))
	}
	return dir
}

// stamp is a TAI64N label (tai64n(8)).
var stamp = regexp.MustCompile(`@[0-9a-f]{24}`)

// Stamps puts @TAI64N in the place of each time stamp.
func Stamps(s string) string { return stamp.ReplaceAllString(s, "@TAI64N") }

func (c Case) fill(t *testing.T, dir string) {
	t.Helper()
	// In the order of names, so that both programs find the same directory.
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		content := c.Files[name]
		path := filepath.Join(dir, name)
		switch base, link := strings.CutSuffix(name, "@"); {
		case strings.HasSuffix(name, "/"):
			must(t, os.MkdirAll(path, 0o755))
		case link:
			must(t, os.MkdirAll(filepath.Dir(path), 0o755))
			must(t, os.Symlink(content, filepath.Join(dir, base)))
		default:
			must(t, os.MkdirAll(filepath.Dir(path), 0o755))
			must(t, os.WriteFile(path, []byte(content), 0o644))
		}
	}
	if c.Setup != nil {
		must(t, c.Setup(dir))
	}
}

// tree is what a directory holds: mode, name and content, in the order of names.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		fmt.Fprintf(&b, "%v %s", info.Mode(), name)
		switch info.Mode().Type() {
		case 0:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", content)
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			b.WriteString(" -> " + target)
		}
		b.WriteByte('\n')
		return nil
	}))
	return b.String()
}

// listed reports whether doc/differences.md has a row of that id.
func listed(t *testing.T, id string) bool {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	must(t, err)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "doc", "differences.md"))
	must(t, err)
	return bytes.Contains(text, []byte("| `"+id+"` |"))
}

// String leaves out what is empty.
func (o Outcome) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "exit %d", o.Code)
	if o.Killed != "" {
		b.WriteString(", killed: " + o.Killed)
	}
	for _, part := range []struct{ what, text string }{{"stdout", o.Stdout}, {"stderr", o.Stderr}, {"files", o.Files}} {
		if len(part.text) > 2000 {
			part.text = part.text[:1000] + " ... " + part.text[len(part.text)-1000:]
		}
		if part.text != "" {
			fmt.Fprintf(&b, ", %s %q", part.what, part.text)
		}
	}
	return b.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
