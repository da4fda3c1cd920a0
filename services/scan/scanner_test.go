package scan

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"svinit/services/spec"
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

// A directory above a service directory, or above the scan directory, is renamed.
func TestAncestorMoves(t *testing.T) {
	w, f := known(t)
	makeService(w.root + "/avail/x")
	os.Mkdir(w.root+"/avail/x/y", 0o755)
	makeService(w.root + "/avail/x/y/web")
	if err := os.Symlink(w.root+"/avail/x/y/web", w.scan+"/web"); err != nil {
		t.Fatal(err)
	}
	f.drive()
	if len(f.services) != 1 {
		t.Fatalf("%d services", len(f.services))
	}
	rename(t, w.root+"/avail/x", w.root+"/avail/z")
	f.drive()
	for _, svc := range f.services {
		if !svc.leaving {
			t.Errorf("%s was not removed", svc.Name)
		}
	}
	f.end()
	f.drive()
	rename(t, w.root+"/avail/z", w.root+"/avail/x")
	f.drive()
	if f.check(); len(f.services) != 1 {
		t.Errorf("%d services", len(f.services))
	}

	root := w.root
	w.root, w.scan = root+"/2", root+"/2/scan"
	for _, dir := range []string{"/2", "/2/scan", "/3", "/3/scan"} {
		os.Mkdir(root+dir, 0o755)
	}
	g := newFakeSet(t, w)
	g.scanner.send = g.apply
	makeService(w.scan + "/a")
	makeService(root + "/3/scan/b")
	g.scanner.openWatch()
	defer g.scanner.close()
	g.scanner.scan(true)
	rename(t, root+"/2", root+"/1")
	rename(t, root+"/3", root+"/2")
	g.drive()
	g.end()
	g.drive()
	g.check()
}

// A call that hangs is its own affair: other names are looked at, and its result
// is used when it comes.
func TestHangingCalls(t *testing.T) {
	w, f := known(t, "a")
	s := f.scanner
	release := make(chan struct{})
	if _, known := ask(s, "slow", func(*call) sight { <-release; return sight{err: errNotDir, run: errNotDir} }); known {
		t.Fatal("a call that hangs has a result")
	}
	for _, key := range []string{"slow", "b"} {
		makeService(w.scan + "/" + key)
	}
	for len(f.services) < 2 { // slow is listed, and nothing is known of it
		s.answer()
		f.poll.Poll()
	}
	if x := s.see("slow"); x.err != errUnknown || x.gone(spec.Identity{}) {
		t.Errorf("what hangs is seen as %+v", x)
	}
	close(release)
	f.drive()
	if f.check(); len(f.services) != 3 {
		t.Errorf("%d services", len(f.services))
	}
}

// As many calls hang as may, and half as many on one device.
func TestCallLimit(t *testing.T) {
	_, f := known(t)
	s := f.scanner
	release := make(chan struct{})
	defer close(release)
	hang := func(c *call, dev uint64) bool {
		ok := c.enter("/hangs", dev)
		if ok {
			<-release
		}
		return ok
	}
	for i, test := range []struct {
		dev      uint64
		pending  int
		answered bool
	}{{1, 1, false}, {1, 2, false}, {1, 2, true}, {2, 3, false}, {3, 4, false}, {4, 4, false}} {
		_, known := ask(s, string(rune('a'+i)), func(c *call) bool { return hang(c, test.dev) })
		if known != test.answered || len(s.calls) != test.pending {
			t.Errorf("call %d on device %d: known %v, %d pending", i, test.dev, known, len(s.calls))
		}
	}
}

// A panic in a call is one of the Scanner, which survives it.
func TestCallPanics(t *testing.T) {
	_, f := known(t)
	var got Change
	f.scanner.send = func(c Change) { got = c }
	f.scanner.guard(func() { ask(f.scanner, "a", func(*call) int { panic("in a call") }) })
	if got.Kind != Panicked {
		t.Errorf("%+v", got)
	}
}

// A scan directory that is a FIFO is not opened.
func TestListFIFO(t *testing.T) {
	path := t.TempDir() + "/fifo"
	if err := unix.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if l := readNames(new(call), path); !errors.Is(l.err, unix.ENOTDIR) {
		t.Errorf("%+v", l)
	}
}
