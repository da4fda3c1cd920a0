package svdir

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestBases(t *testing.T) {
	var st syscall.Stat_t
	must(t, syscall.Stat("/proc/self/ns/pid", &st))
	id := strconv.FormatUint(st.Ino, 10)
	want := []string{"/run/svinit", "/dev/shm/svinit-7-" + id, "/tmp/svinit-7-" + id}
	if got := Bases("", 7); !slices.Equal(got, want) {
		t.Errorf("Bases = %q", got)
	}
	if got := Bases("/x", 7); !slices.Equal(got, append([]string{"/x"}, want...)) {
		t.Errorf("Bases with a custom one = %q", got)
	}
}

func TestClaim(t *testing.T) {
	dir := t.TempDir()
	base := dir + "/base"
	for range 2 {
		claimed(t, base)
	}
	os.Chmod(base, 0o777)
	claimed(t, base)
	if fi, err := os.Stat(base); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
	link := dir + "/link"
	os.Symlink(base, link)
	file := dir + "/file"
	write(t, file, "")
	bad := []string{link, file, dir + "/no/such"}
	if os.Geteuid() == 0 {
		other := dir + "/other"
		os.Mkdir(other, 0o700)
		if err := os.Chown(other, 1, 1); err != nil {
			t.Fatal(err)
		}
		bad = append(bad, other)
	}
	for _, base := range bad {
		if _, err := claim(base, 0); err == nil {
			t.Errorf("%s: claimed", base)
		} else if !strings.Contains(err.Error(), base) {
			t.Errorf("%s: error does not name it: %v", base, err)
		}
	}
}

// TestLocate puts supervisors into some of the places where a tool looks.
func TestLocate(t *testing.T) {
	root := t.TempDir()
	base := root + "/base"
	claimed(t, base)
	dir := root + "/available/web"
	must(t, os.MkdirAll(dir+"/log", 0o755))
	must(t, os.Mkdir(root+"/scan", 0o755))
	link := root + "/scan/www"
	must(t, os.Symlink(dir, link))

	if got := place(dir, base); got != dir+"/supervise" {
		t.Errorf("nobody listens: %q", got)
	}
	// Below a fallback it has the name that it has in the scan directory.
	must(t, announced(t, base+"/www").Mark(dir))
	must(t, announced(t, base+"/www/log").Mark(dir+"/log"))
	for from, want := range map[string]string{
		dir:              base + "/www",
		dir + "/":        base + "/www",
		link:             base + "/www",
		dir + "/log":     base + "/www/log",
		link + "/log":    base + "/www/log",
		link + "/../web": base + "/www", // not scan/web, which is not there
	} {
		if got := place(from, base); got != want {
			t.Errorf("Locate(%q) = %q, want %q", from, got, want)
		}
	}
	t.Chdir(root + "/available")
	if got := place("web", base); got != base+"/www" {
		t.Errorf("relative: %q", got)
	}

	// Its own state directory comes first.
	announced(t, dir+"/supervise")
	if got := place(dir, base); got != dir+"/supervise" {
		t.Errorf("its own: %q", got)
	}
}

// TestLocateAnother asks for a directory that only has the name of one that is
// supervised.
func TestLocateAnother(t *testing.T) {
	root := t.TempDir()
	base := root + "/base"
	claimed(t, base)
	for _, dir := range []string{"/a/web", "/b/web"} {
		must(t, os.MkdirAll(root+dir, 0o755))
	}
	must(t, os.Symlink(root+"/a/web", root+"/link"))
	h := announced(t, base+"/web")
	for range 2 { // an earlier mark is replaced
		must(t, h.Mark(root+"/link"))
	}
	if got := place(root+"/a/web", base); got != base+"/web" {
		t.Errorf("the one that is supervised: %q", got)
	}
	if got := place(root+"/b/web", base); got != root+"/b/web/supervise" {
		t.Errorf("the other: %q", got)
	}
	// The directory that was supervised has gone.
	must(t, os.Remove(root+"/a/web"))
	if got := place(root+"/b/web", base); got != root+"/b/web/supervise" {
		t.Errorf("the other, alone: %q", got)
	}
}

// TestLocateForeign asks where others could have made a base, to have our
// commands written where they want.
func TestLocateForeign(t *testing.T) {
	root := t.TempDir()
	dir := root + "/web"
	must(t, os.Mkdir(dir, 0o755))
	base := root + "/base"
	claimed(t, base)
	must(t, announced(t, base+"/web").Mark(dir))
	if got := place(dir, base); got != base+"/web" {
		t.Errorf("ours: %q", got)
	}
	must(t, os.Symlink("base", root+"/link"))
	if got := place(dir, root+"/link"); got != dir+"/supervise" {
		t.Errorf("a link: %q", got)
	}
	must(t, os.Chmod(base, 0o777))
	if got := place(dir, base); got != dir+"/supervise" {
		t.Errorf("open to all: %q", got)
	}
	if os.Geteuid() == 0 {
		must(t, os.Chmod(base, 0o700))
		must(t, os.Chown(base, 1, 1))
		if got := place(dir, base); got != dir+"/supervise" {
			t.Errorf("another user's: %q", got)
		}
	}
}

// claimed makes a base ours.
func claimed(t *testing.T, base string) {
	t.Helper()
	fd, err := claim(base, 0)
	must(t, err)
	syscall.Close(fd)
}

// place is where a tool finds the state of a service directory.
func place(dir, base string) string {
	state, _ := Locate(dir, base)
	return state
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
