package scan

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"svinit/services/spec"
)

// tree is a scan directory, and a directory that its links lead to, to which
// operations are applied at random.
type tree struct {
	root, scan string
	rand       *rand.Rand
	done       []string // the operations
}

func newTree(t *testing.T, seed uint64) *tree {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &tree{root: root, scan: root + "/scan", rand: rand.New(rand.NewPCG(seed, 0))}
	for _, dir := range []string{w.scan, root + "/avail"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// entry is a name in the scan directory, there or not.
func (w *tree) entry() string {
	return w.scan + "/" + []string{"a", "b", "c", "d", ".hidden"}[w.rand.IntN(5)]
}

// target is a name that links lead to, there or not.
func (w *tree) target() string { return w.root + "/avail/" + []string{"x", "y", "z"}[w.rand.IntN(3)] }

func (w *tree) either() string {
	if w.rand.IntN(2) == 0 {
		return w.target()
	}
	return w.entry()
}

// operations are what may happen to a tree. They may fail: the names are chosen
// at random.
var operations = []struct {
	name string
	do   func(w *tree, p, q string)
}{
	{"mkdir", func(w *tree, p, _ string) { os.Mkdir(p, 0o755) }},
	{"make service", func(w *tree, p, _ string) { makeService(p) }},
	{"make service", func(w *tree, p, _ string) { makeService(p) }},
	{"write run", func(w *tree, p, _ string) { os.WriteFile(p+"/run", nil, 0o755) }},
	{"chmod +x", func(w *tree, p, _ string) { os.Chmod(p+"/run", 0o755) }},
	{"chmod -x", func(w *tree, p, _ string) { os.Chmod(p+"/run", 0o644) }},
	{"remove run", func(w *tree, p, _ string) { os.Remove(p + "/run") }},
	{"make log", func(w *tree, p, _ string) { makeService(p + "/log") }},
	{"rename", func(w *tree, p, q string) { os.Rename(p, q) }},
	{"rename", func(w *tree, p, q string) { os.Rename(p, q) }},
	{"exchange", func(w *tree, p, q string) {
		unix.Renameat2(unix.AT_FDCWD, p, unix.AT_FDCWD, q, unix.RENAME_EXCHANGE)
	}},
	{"link", func(w *tree, p, _ string) { os.Symlink(w.target(), p) }},
	{"link", func(w *tree, p, _ string) { os.Symlink("../avail/"+filepath.Base(w.target()), p) }},
	{"retarget", func(w *tree, p, _ string) {
		tmp := w.root + "/tmp"
		os.Symlink(w.target(), tmp)
		os.Rename(tmp, p)
		os.Remove(tmp)
	}},
	{"remove", func(w *tree, p, _ string) { os.RemoveAll(p) }},
	{"replace", func(w *tree, p, _ string) { os.RemoveAll(p); makeService(p) }},
	{"file", func(w *tree, p, _ string) { os.WriteFile(p, nil, 0o755) }},
	{"replace the scan directory", func(w *tree, _, _ string) {
		old := w.root + "/old"
		os.Rename(w.scan, old)
		os.Mkdir(w.scan, 0o755)
		names := readNames(new(call), old).names
		for _, name := range names {
			if w.rand.IntN(2) == 0 {
				os.Rename(old+"/"+name, w.scan+"/"+name)
			}
		}
		os.RemoveAll(old)
	}},
}

func makeService(path string) {
	os.Mkdir(path, 0o755)
	os.WriteFile(path+"/run", nil, 0o755)
}

// change applies an operation at random.
func (w *tree) change() {
	op, p, q := operations[w.rand.IntN(len(operations))], w.either(), w.either()
	w.done = append(w.done, fmt.Sprintf("%s %s %s", op.name, strings.TrimPrefix(p, w.root), strings.TrimPrefix(q, w.root)))
	op.do(w, p, q)
}

// listed returns what the names in the scan directory lead to.
func (w *tree) listed() (byName map[string]spec.Identity, byID map[spec.Identity][]string) {
	byName, byID = make(map[string]spec.Identity), make(map[spec.Identity][]string)
	names := readNames(new(call), w.scan).names
	for _, name := range names {
		if hidden(name) {
			continue
		}
		id, _, _, err := identify(w.scan + "/" + name)
		byName[name] = id
		if err == nil {
			byID[id] = append(byID[id], name)
		}
	}
	return byName, byID
}

func executable(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0
}
