package applet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestExitStatus checks the table in the package comment.
func TestExitStatus(t *testing.T) {
	notExist := &fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}
	for _, c := range []struct {
		err  error
		code int
		line string
	}{
		{nil, 0, ""},
		{ErrUsage, 100, "tool: usage: tool [-x] file\n"},
		{Fatal("unable to open x", notExist), 111, "tool: fatal: unable to open x: file does not exist\n"},
		{Fatal("child crashed", nil), 111, "tool: fatal: child crashed\n"},
		{notExist, 111, "tool: fatal: open x: no such file or directory\n"},
		{&Exit{ExitPermanent, "anything"}, 100, "anything\n"},
		{fmt.Errorf("wrapped: %w", &Exit{7, "as it is"}), 7, "as it is\n"},
		{Silent(100), 100, ""},
	} {
		command := Command{Name: "tool", Synopsis: "tool [-x] file", Run: func(*Env) error { return c.err }}
		stderr := captureOutput(t, func(f *os.File) {
			if got := command.Main(&Env{Name: "tool", Stderr: f}); got != c.code {
				t.Errorf("%v: exit code %d, want %d", c.err, got, c.code)
			}
		})
		if stderr != c.line {
			t.Errorf("%v: %q, want %q", c.err, stderr, c.line)
		}
	}
	if !errors.Is(Fatal("x", notExist), fs.ErrNotExist) {
		t.Error("Fatal hides its reason")
	}
}

func TestWarn(t *testing.T) {
	got := captureOutput(t, func(f *os.File) {
		e := Env{Name: "tool", Stderr: f}
		e.Warn("unable to try", syscall.EAGAIN)
		e.Warn("unable to go on", nil)
		e.Log("illegal option -- z")
	})
	want := "tool: warning: unable to try: temporary failure\ntool: warning: unable to go on\ntool: illegal option -- z\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestReason compares with the messages of the real svstat for every errno.
func TestReason(t *testing.T) {
	b, err := os.ReadFile("testdata/reasons.tsv")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		number, want, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok {
			continue
		}
		errno, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if got := Reason(&fs.PathError{Err: syscall.Errno(errno)}); got != want {
			t.Errorf("errno %d: %q, want %q", errno, got, want)
		}
	}
	if n != 133 {
		t.Errorf("%d errors", n)
	}
	if got := Reason(syscall.Errno(9999)); got != "unknown error" {
		t.Errorf("unknown errno: %q", got)
	}
	if got := Reason(errors.New("bad format")); got != "bad format" {
		t.Errorf("error without an errno: %q", got)
	}
}

// TestOptions checks command lines against the results of daemontools' sgetopt.
func TestOptions(t *testing.T) {
	for _, c := range []struct {
		args string
		want string // letters and values, then "|" and the operands or "!" and the error
	}{
		{"", "|"},
		{"-a", "a|"},
		{"-ab x", "a b|x"},
		{"-a -b", "a b|"},
		{"x -a", "|x -a"},
		{"-a - -b", "a|- -b"},
		{"-a -- -b", "a|-b"},
		{"-- --", "|--"},
		{"--anything -b", "!unknown option --anything"},
		{"-n1", "n=1|"},
		{"-n 1", "n=1|"},
		{"-n -a", "n=-a|"},
		{"-n --", "n=--|"},
		{"-an1 x", "a n=1|x"},
		{"-anb -n 2 x -a", "a n=b n=2|x -a"},
		{"-n", "!option requires an argument -- n"},
		{"-an", "a!option requires an argument -- n"},
		{"-z", "!illegal option -- z"},
		{"-az x", "a!illegal option -- z"},
		{"-a-", "a!illegal option -- -"},
		{"-:", "!illegal option -- :"},
		{"-\xff", "!illegal option -- \xff"},
	} {
		o := Options{Args: strings.Fields(c.args), Known: "an:b"}
		var got []string
		for o.Next() {
			s := string(o.Letter)
			if o.Letter == 'n' {
				s += "=" + o.Value
			}
			got = append(got, s)
		}
		result := strings.Join(got, " ")
		if o.Bad != "" {
			result += "!" + o.Bad
		} else {
			result += "|" + strings.Join(o.Args, " ")
		}
		if result != c.want {
			t.Errorf("%q: %q, want %q", c.args, result, c.want)
		}
	}
	if o := (Options{Args: []string{"-n", "", "x"}, Known: "n:"}); !o.Next() || o.Value != "" || len(o.Args) != 1 {
		t.Errorf("empty value: %+v", o)
	}
	if o := (Options{Args: []string{""}, Known: "a"}); o.Next() || len(o.Args) != 1 {
		t.Errorf("empty argument: %+v", o)
	}
}

func FuzzOptions(f *testing.F) {
	f.Add("-ab\n-n\n1\n--\nx")
	f.Fuzz(func(t *testing.T, args string) {
		o := Options{Args: strings.Split(args, "\n"), Known: "an:b"}
		n := len(args) + 1
		for o.Next() {
			if n--; n < 0 {
				t.Fatal("more options than bytes")
			}
		}
	})
}

func TestTable(t *testing.T) {
	table := Table{
		{Name: "a", Synopsis: "a x", Summary: "do a", Section: 8, Help: "All of a.\n"},
		{Name: "bcd", Summary: "do bcd"},
	}
	if got, want := table.Summaries(), "  a    do a\n  bcd  do bcd\n"; got != want {
		t.Errorf("Summaries = %q, want %q", got, want)
	}
	help, err := table.Help("a")
	if want := "a: do a\n\nusage: a x\n\nAll of a.\n\nSee the manual page a(8).\n"; err != nil || help != want {
		t.Errorf("Help = %q, %v, want %q", help, err, want)
	}
	if _, err := table.Help("e"); err == nil || !strings.Contains(err.Error(), `"e"`) {
		t.Errorf("Help of nothing: %v", err)
	}
}

// captureOutput returns what f writes to its file.
func captureOutput(t *testing.T, f func(*os.File)) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f(file)
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
