package program

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestFound: a program is looked for where execvp(3) looks.
func TestFound(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("a/tool", 0o644) // may not be executed: remembered
	b := put("b/tool", 0o755)
	put("a/plain", 0o644)
	here := put("here/local", 0o755)
	if err := os.Mkdir(filepath.Join(dir, "a/dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(here))
	t.Setenv("PATH", dir+"/missing:"+dir+"/a::"+dir+"/b")
	for name, want := range map[string][]string{
		"tool":  {dir + "/a/tool", b},
		"local": {"./local"},
		"/x/y":  {"/x/y"},
		"./z":   {"./z"},
		"plain": {dir + "/a/plain"},
		"none":  nil,
		"":      nil,
	} {
		if got := found(name); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestExecvp: which of several errors counts, and what a shell makes of it.
func TestExecvp(t *testing.T) {
	dir := t.TempDir()
	var path []string
	for _, name := range []string{"a", "b", "c"} {
		path = append(path, dir+"/"+name)
		if err := os.Mkdir(dir+"/"+name, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/"+name+"/tool", nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", strings.Join(path, ":"))
	for _, c := range []struct {
		answers  []error // of start, the last for every further call
		tried    string
		errno    syscall.Errno // 0: it was executed
		notFound bool
	}{
		{[]error{nil}, "a", 0, false},
		{[]error{syscall.ENOENT, nil}, "a b", 0, false},
		{[]error{syscall.EACCES, nil}, "a b", 0, false},
		{[]error{syscall.ENOENT}, "a b c", syscall.ENOENT, true},
		{[]error{syscall.ENOENT, syscall.ENOTDIR}, "a b c", syscall.ENOTDIR, true},
		{[]error{syscall.EACCES, syscall.ENOENT}, "a b c", syscall.EACCES, false},
		{[]error{syscall.ENOENT, syscall.EACCES}, "a b c", syscall.EACCES, false},
		{[]error{syscall.E2BIG}, "a", syscall.E2BIG, false},
		{[]error{syscall.ENOEXEC, nil}, "a sh", 0, false},
		{[]error{syscall.ENOEXEC, syscall.EPERM}, "a sh", syscall.EPERM, false},
	} {
		var tried []string
		err := Execvp([]string{"tool", "x"}, func(path string, argv []string) error {
			if path == "/bin/sh" {
				tried = append(tried, "sh")
				if want := []string{"/bin/sh", dir + "/a/tool", "x"}; !slices.Equal(argv, want) {
					t.Errorf("%v: %q, want %q", c.answers, argv, want)
				}
			} else {
				tried = append(tried, filepath.Base(filepath.Dir(path)))
			}
			return c.answers[min(len(tried), len(c.answers))-1]
		})
		if got := strings.Join(tried, " "); got != c.tried {
			t.Errorf("%v: tried %s, want %s", c.answers, got, c.tried)
		}
		if failed, ok := err.(*Error); ok != (c.errno != 0) || ok && (failed.Errno != c.errno || failed.NotFound != c.notFound) {
			t.Errorf("%v: %#v", c.answers, err)
		}
	}
	if err := Execvp([]string{"none"}, nil); !errors.Is(err, syscall.ENOENT) || err.Error() != ErrNotFound.Error() {
		t.Error(err)
	}
}
