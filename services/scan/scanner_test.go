package scan

import (
	"os"
	"testing"
)

// known is a scanner that has found services of these names.
func known(t *testing.T, names ...string) (*tree, *fakeSet) {
	w := newTree(t, 0)
	f := newFakeSet(t, w)
	f.scanner.send = f.apply
	for _, name := range names {
		makeService(w.scan + "/" + name)
	}
	f.scanner.openWatch()
	f.scanner.scan(true)
	if len(f.services) != len(names) {
		t.Fatalf("%d services are found of %d", len(f.services), len(names))
	}
	t.Cleanup(f.scanner.close)
	return w, f
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// Services whose directories take each other's names all go on.
func TestRenameChain(t *testing.T) {
	for range 20 { // the order of a map decides what is looked at first
		w, f := known(t, "a", "b", "c")
		rename(t, w.scan+"/c", w.scan+"/d")
		rename(t, w.scan+"/b", w.scan+"/c")
		rename(t, w.scan+"/a", w.scan+"/b")
		f.drive()
		for _, svc := range f.services {
			if svc.leaving {
				t.Fatalf("%s was removed", svc.Name)
			}
		}
		f.check()
		rename(t, w.scan+"/b", w.root+"/tmp") // exchange b and c
		rename(t, w.scan+"/c", w.scan+"/b")
		rename(t, w.root+"/tmp", w.scan+"/c")
		f.drive()
		if len(f.services) != 3 {
			t.Fatalf("%d services", len(f.services))
		}
		f.check()
	}
}

// A directory is renamed, and the link to it adjusted: the next start is in the
// directory's new path.
func TestDirectoryMoves(t *testing.T) {
	w, f := known(t)
	makeService(w.root + "/avail/web")
	if err := os.Symlink(w.root+"/avail/web", w.scan+"/web"); err != nil {
		t.Fatal(err)
	}
	f.drive()
	rename(t, w.root+"/avail/web", w.root+"/avail/web2")
	if err := os.Symlink(w.root+"/avail/web2", w.root+"/tmp"); err != nil {
		t.Fatal(err)
	}
	rename(t, w.root+"/tmp", w.scan+"/web")
	f.drive()
	for _, svc := range f.services {
		if svc.leaving || svc.Dir != w.root+"/avail/web2" {
			t.Errorf("%+v", svc)
		}
	}
	if len(f.services) != 1 {
		t.Errorf("%d services", len(f.services))
	}
}

// The second name of a service is watched, too: it may come to lead elsewhere.
func TestSecondName(t *testing.T) {
	w, f := known(t, "a")
	makeService(w.root + "/avail/x")
	for _, link := range [][2]string{{"../scan/a", w.root + "/avail/y"}, {"../avail/y", w.scan + "/b"}} {
		if err := os.Symlink(link[0], link[1]); err != nil {
			t.Fatal(err)
		}
	}
	f.drive()
	if len(f.services) != 1 {
		t.Fatalf("%d services have two names", len(f.services))
	}
	if err := os.Symlink("x", w.root+"/tmp"); err != nil {
		t.Fatal(err)
	}
	rename(t, w.root+"/tmp", w.root+"/avail/y")
	f.drive()
	if len(f.services) != 2 {
		t.Fatalf("%d services have two directories", len(f.services))
	}
	f.check()
}
