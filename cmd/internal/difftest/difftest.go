// Package difftest is for tests only. It runs a program of Debian and our tool of
// the same name with the same arguments, input, environment and files, and compares
// standard output and error, the exit code, and the files afterwards.
//
// Our tools are in the svinit binary, which [Main] builds.
//
// A case in which ours differs on purpose names a row of doc/differences.md. It
// fails if there is no such row, or if nothing differs.
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
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Case is one run of a program.
type Case struct {
	Tool  string   // argv[0], and the name of our tool
	Args  []string // without argv[0]
	Stdin string   // the content of standard input, a regular file
	Env   []string // the environment; PATH is added
	// Files are created in the working directory of the program, which is empty
	// otherwise: the content by name; NAME/ is a directory, NAME@ a symbolic link
	// to the content.
	Files   map[string]string
	Setup   func(dir string) error // creates other kinds of files, in each of the two working directories
	UID     uint32                 // user and group ID of the program; 0 is root
	Path    string                 // Debian's program; "" looks up Tool in PATH
	Before  func(cmd *exec.Cmd)    // changes cmd before its start
	Mask    func(string) string    // replaces output that always differs, such as process IDs; TAI64N labels are always replaced
	Differs string                 // the ID of a row of doc/differences.md; "" if nothing may differ
}

// An Outcome is the result of a run.
type Outcome struct {
	Stdout, Stderr string
	Code           int    // -1 if a signal killed the program
	Killed         string // that signal, as in "segmentation fault"
	Files          string // one line per file, with its content
}

// runTimeout is how long a program may run.
const runTimeout = 30 * time.Second

// binary is the path of svinit, built by Main.
var binary string

// Main builds svinit and runs the tests. TestMain calls it and does nothing else:
//
//	func TestMain(m *testing.M) { os.Exit(difftest.Main(m)) }
func Main(m *testing.M) int {
	// Under nohup signals are ignored, and would be in all programs that we start.
	// Caught signals are reset to the default action at exec.
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
	build := exec.Command("go", "build", "-trimpath", "-o", binary)
	if runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64" {
		build.Args = append(build.Args, "-ldflags=-E svinit/reaper/inherit.entry")
	}
	build.Args = append(build.Args, "svinit/cmd/svinit")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Binary returns the path of svinit.
func Binary() string { return binary }

// Real returns the path of a program from that Debian package. Without it the test
// is skipped, which .ci/run reports as an error.
func Real(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is missing: apt-get install %s", program, pkg)
	}
	return path
}

// Compare runs the case with both programs. It fails if the outcomes differ, or if
// they are equal although Differs is set. It returns both outcomes.
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
		if !hasDifference(t, c.Differs) {
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
	c.createFiles(t, dir)
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
		// Background processes may keep the pipes open: do not wait for them forever.
		WaitDelay: runTimeout,
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
	timeout := time.AfterFunc(runTimeout, func() { cmd.Process.Kill() })
	cmd.Wait()
	if !timeout.Stop() {
		t.Errorf("%s %q does not exit", path, c.Args)
	}
	mask := func(s string) string {
		s = MaskLabels(strings.ReplaceAll(s, dir, "DIR"))
		if c.Mask != nil {
			s = c.Mask(s)
		}
		return s
	}
	o := Outcome{Stdout: mask(stdout.String()), Stderr: mask(stderr.String()), Code: cmd.ProcessState.ExitCode(), Files: mask(describeFiles(t, dir))}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		o.Killed = status.Signal().String()
	}
	return o
}

// OpenDir returns a temporary directory that other users can access.
func OpenDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && len(d) > 1; d = filepath.Dir(d) {
		must(t, os.Chmod(d, 0o755))
	}
	return dir
}

// timestamp matches a TAI64N label (tai64n(8)).
var timestamp = regexp.MustCompile(`@[0-9a-f]{24}`)

// MaskLabels replaces each TAI64N label with @TAI64N.
func MaskLabels(s string) string { return timestamp.ReplaceAllString(s, "@TAI64N") }

func (c Case) createFiles(t *testing.T, dir string) {
	t.Helper()
	// In the order of names, so that both directories have the same order.
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

// describeFiles returns mode, name and content of the files below a directory, in
// the order of names.
func describeFiles(t *testing.T, dir string) string {
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

// hasDifference reports whether doc/differences.md has a row with that ID.
func hasDifference(t *testing.T, id string) bool {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	must(t, err)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "doc", "differences.md"))
	must(t, err)
	return bytes.Contains(text, []byte("| `"+id+"` |"))
}

// String formats the outcome for error messages, without empty parts.
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
