package pid1

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// The search is execvp's.
func TestCandidates(t *testing.T) {
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
		if got := candidates(name); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestExitCode(t *testing.T) {
	for ws, want := range map[syscall.WaitStatus]int{0: 0, 7 << 8: 7, 9: 137, 11 | 0x80: 139} {
		if got := exitCode(ws); got != want {
			t.Errorf("%#x: %d, want %d", ws, got, want)
		}
	}
}
