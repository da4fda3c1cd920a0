package scan

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestWalk(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"scan", "avail/web/log"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"scan/web":      "../avail/web",
		"scan/far":      root + "/far//",
		"far":           "./scan/web/",
		"scan/round":    "round",
		"scan/missing":  "../avail/missing/log",
		"scan/file":     "plain",
		"scan/toofar":   "/..",
		"avail/web/run": "../../scan/plain",
	} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(root+"/scan/plain", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path    string
		lookups []string
		end     string
	}{
		{"", nil, "scan"},
		{"/web", []string{"scan/web"}, "avail/web"},
		{"/web/log", []string{"scan/web"}, "avail/web/log"},
		{"/web/../../scan/plain", []string{"scan/web", "scan/plain"}, ""},
		{"/web/run", []string{"scan/web", "avail/web/run", "scan/plain"}, ""},
		{"/web/log/run", []string{"scan/web", "avail/web/log/run"}, ""},
		{"/far/./log", []string{"scan/far", "far", "scan/web"}, "avail/web/log"},
		{"/missing", []string{"scan/missing", "avail/missing"}, ""},
		{"/file/x", []string{"scan/file", "scan/plain"}, ""},
	} {
		lookups, end, _ := walk(new(call), root+"/scan", root+"/scan"+test.path)
		var found []string
		for _, l := range lookups {
			if l.isDir {
				continue
			}
			rel, _ := filepath.Rel(root, filepath.Join(l.dir, l.name))
			found = append(found, rel)
		}
		if rel, _ := filepath.Rel(root, end); end != "" {
			end = rel
		}
		if !slices.Equal(found, test.lookups) || end != test.end {
			t.Errorf("walk(%q) = %v, %q, want %v, %q", test.path, found, end, test.lookups, test.end)
		}
	}
	if lookups, end, _ := walk(new(call), root+"/scan", root+"/scan/round"); len(lookups) != maxLinks+1 || end != "" {
		t.Errorf("a link to itself is %d lookups and leads to %q", len(lookups), end)
	}
	if _, end, _ := walk(new(call), "", root+"/scan/toofar"); end != "/" {
		t.Errorf("above the root is %q", end)
	}
}
