package svdir

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
)

// foreign is a container that is not this one.
const foreign = "1.2-3.x"

// TestForeignOwner has state directories that another user owns: nothing that
// user has put there is used, made or changed.
func TestForeignOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make files of other users")
	}
	dir := t.TempDir()
	path, victim := dir+"/supervise", dir+"/victim"
	must(t, os.Mkdir(path, 0o755))
	for _, name := range []string{"lock", "control", "ok", "status.new"} {
		must(t, os.Symlink(victim, path+"/"+name))
	}
	must(t, os.Lchown(path, 12345, 12345))
	if h, err := Hold(path); err == nil || !strings.Contains(err.Error(), "owned by uid 12345") {
		h.Release()
		t.Fatalf("held: %v", err)
	}
	// A link of that user, even to a directory of ours.
	must(t, os.Mkdir(dir+"/ours", 0o755))
	for _, target := range []string{"ours", "missing"} {
		link := dir + "/link to " + target
		must(t, os.Symlink(target, link))
		must(t, os.Lchown(link, 12345, 12345))
		if _, err := Hold(link); !errors.Is(err, errForeignLink) {
			t.Errorf("link to %s: %v", target, err)
		}
	}
	for _, name := range []string{"victim", "missing", "ours/lock"} {
		if _, err := os.Lstat(dir + "/" + name); err == nil {
			t.Errorf("%s was made", name)
		}
	}
	if fi, err := os.Stat(dir + "/ours"); err != nil || fi.Mode().Perm() != 0o755 {
		t.Errorf("ours: %v, %v", fi.Mode(), err)
	}
}

// TestLinksInside has links in a state directory of ours, from a time when
// others could write to it: they are replaced, and their targets stay as they are.
func TestLinksInside(t *testing.T) {
	dir := t.TempDir()
	path := dir + "/supervise"
	must(t, os.Mkdir(path, 0o777))
	must(t, os.Chmod(path, 0o777))
	write(t, dir+"/victim", "precious")
	must(t, os.Chmod(dir+"/victim", 0o640))
	must(t, syscall.Mkfifo(dir+"/fifo", 0o600))
	must(t, os.Link(dir+"/victim", path+"/lock"))
	must(t, os.Symlink(dir+"/fifo", path+"/ok"))
	must(t, os.Symlink(dir+"/victim", path+"/control"))
	must(t, os.Link(dir+"/victim", path+"/status.new"))
	must(t, os.Symlink(dir+"/new", path+"/stat.new"))
	announced(t, path)
	if b, err := os.ReadFile(dir + "/victim"); err != nil || string(b) != "precious" {
		t.Errorf("victim has %q, %v", b, err)
	}
	for name, mode := range map[string]fs.FileMode{
		"victim":            0o640,
		"fifo":              fs.ModeNamedPipe | 0o600,
		"supervise":         fs.ModeDir | 0o755,
		"supervise/lock":    0o600,
		"supervise/control": fs.ModeNamedPipe | 0o600,
		"supervise/ok":      fs.ModeNamedPipe | 0o600 | 0o022,
		"supervise/status":  0o644,
	} {
		if fi, err := os.Lstat(dir + "/" + name); err != nil || fi.Mode() != mode {
			t.Errorf("%s: %v, %v, want %v", name, fi.Mode(), err, mode)
		}
	}
	if _, err := os.Lstat(dir + "/new"); err == nil {
		t.Error("the target of a link was made")
	}
}

// TestNothingChanged holds what an image has: no mode and no owner is set where
// that changes nothing, and a FIFO with another mode is made anew, since
// fuse-overlayfs would make it a file.
func TestNothingChanged(t *testing.T) {
	path := t.TempDir() + "/supervise"
	announced(t, path).Release()
	before := make(map[string]syscall.Stat_t)
	for _, name := range []string{"ok", "control", "lock"} {
		var st syscall.Stat_t
		must(t, syscall.Lstat(path+"/"+name, &st))
		before[name] = st
	}
	h := announced(t, path)
	for name, old := range before {
		var st syscall.Stat_t
		must(t, syscall.Lstat(path+"/"+name, &st))
		if st.Ino != old.Ino || st.Ctim != old.Ctim {
			t.Errorf("%s was changed", name)
		}
	}
	h.Release()
	other, err := syscall.Open(path+"/ok", syscall.O_RDONLY|syscall.O_NONBLOCK, 0)
	must(t, err)
	defer syscall.Close(other) // so that its number is not used again
	must(t, os.Chmod(path+"/ok", 0o666))
	announced(t, path)
	var st syscall.Stat_t
	must(t, syscall.Lstat(path+"/ok", &st))
	if st.Ino == before["ok"].Ino || st.Mode&0o777 != 0o600 {
		t.Errorf("ok has mode %o, inode %d was %d", st.Mode, st.Ino, before["ok"].Ino)
	}
}

// TestElsewhere has one directory in two containers.
func TestElsewhere(t *testing.T) {
	dir := t.TempDir()
	path, base := dir+"/supervise", dir+"/base"
	h := announced(t, path)
	must(t, h.link(namespaceLink, foreign))
	if _, err := Hold(path); !errors.Is(err, errLockedElsewhere) || errors.Is(err, ErrLocked) {
		t.Errorf("Hold: %v", err)
	}
	if state, err := Locate(dir, base); err != ErrElsewhere || state != path {
		t.Errorf("Locate: %q, %v", state, err)
	}
	// The fallback is shared as well.
	theirs := below(t, base, "web", dir)
	must(t, theirs.Announce())
	must(t, theirs.link(namespaceLink, foreign))
	ours := below(t, base, "web", dir)
	must(t, ours.Announce())
	if state, err := Locate(dir, base); err != nil || state != base+"/web+2" {
		t.Errorf("Locate: %q, %v", state, err)
	}
	if _, err := HoldBelow(base, 0, "web", dir); !errors.Is(err, ErrLocked) {
		t.Errorf("twice in one container: %v", err)
	}
	log := below(t, base, "web/log", dir)
	if log.Path != base+"/web/log" {
		t.Errorf("logger in %s", log.Path)
	}
	ours.Release()
	if state, err := Locate(dir, base); err != ErrElsewhere {
		t.Errorf("without ours: %q, %v", state, err)
	}
	// Gone is gone, whatever the link says.
	h.Release()
	theirs.Release()
	hold(t, path)
}

// TestNameAgain uses a name again that another service had before.
func TestNameAgain(t *testing.T) {
	root := t.TempDir()
	base := root + "/base"
	dirs := []string{root + "/a", root + "/b", root + "/c"}
	for i, dir := range dirs {
		must(t, os.Mkdir(dir, 0o755))
		h := below(t, base, "web", dir)
		must(t, h.Announce())
		if want := []string{"/web", "/web+2", "/web+3"}[i]; h.Path != base+want {
			t.Errorf("%s is in %s", dir, h.Path)
		}
	}
	for _, dir := range dirs {
		if _, err := HoldBelow(base, 0, "web", dir); !errors.Is(err, ErrLocked) {
			t.Errorf("%s twice: %v", dir, err)
		}
	}
	if state, err := Locate(dirs[1], base); err != nil || state != base+"/web+2" {
		t.Errorf("Locate: %q, %v", state, err)
	}
	// The directory is renamed, which the state must follow.
	h := below(t, base, "other", root)
	must(t, h.Announce())
	must(t, os.Mkdir(root+"/new", 0o755))
	must(t, h.Remark(root+"/new"))
	if state, err := Locate(root+"/new", base); err != nil || state != base+"/other" {
		t.Errorf("renamed: %q, %v", state, err)
	}
}

func below(t *testing.T, base, name, service string) *Held {
	t.Helper()
	h, err := HoldBelow(base, 0, name, service)
	must(t, err)
	t.Cleanup(h.Release)
	return h
}

func TestRemoved(t *testing.T) {
	for _, what := range []string{"", "/ok", "/control", "/lock"} {
		path := t.TempDir() + "/supervise"
		h := announced(t, path)
		if h.Removed() {
			t.Error("removed before")
		}
		must(t, os.RemoveAll(path+what))
		if !h.Removed() {
			t.Errorf("%q was removed, and Removed does not say so", what)
		}
	}
}

// TestWriteFails cannot write the status: the old one, which is not true any
// more, is not left there.
func TestWriteFails(t *testing.T) {
	path := t.TempDir() + "/supervise"
	h := announced(t, path)
	must(t, os.MkdirAll(path+"/status.new/full", 0o700))
	if err := h.WriteStatus(Status{}); err == nil || errors.Is(err, ErrOutdated) {
		t.Errorf("WriteStatus: %v", err)
	}
	if _, err := ReadStatus(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadStatus: %v", err)
	}
	must(t, os.RemoveAll(path+"/status.new"))
	must(t, h.WriteStatus(Status{PID: 7}))
	if s, err := ReadStatus(path); err != nil || s.PID != 7 {
		t.Errorf("ReadStatus: %+v, %v", s, err)
	}
	must(t, os.Remove(path+"/status"))
	must(t, os.MkdirAll(path+"/status/full", 0o700))
	if err := h.WriteStatus(Status{}); !errors.Is(err, ErrOutdated) {
		t.Errorf("with an old one that stays: %v", err)
	}
}
