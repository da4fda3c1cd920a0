package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The names of the two columns that are svinit.
const (
	current  = "svinit" // the binary of -svinit
	previous = "old"    // the binary of -old
)

// A build is a copy of an svinit binary.
type build struct {
	path string
	tini string // a link to the copy, with the name tini
	size int64  // bytes
}

// copyBinary copies an svinit binary to a directory of its own. The copy has an
// inode that no other running svinit shares, or the shared pages would lower its
// PSS. It is on disk and not on tmpfs, as the files of a container are.
func (b *bench) copyBinary(name, source string) (*build, error) {
	data, err := os.ReadFile(source)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.bin, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	c := &build{path: filepath.Join(dir, "svinit"), tini: filepath.Join(dir, "tini"), size: int64(len(data))}
	if err := os.Symlink("svinit", c.tini); err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.path, data, 0o755); err != nil {
		return nil, err
	}
	return c, dropCache(c.path)
}

// dropCache removes a file from the page cache. The kernel keeps a file that was
// just written in large folios and maps them as a whole, which adds 1.1 MB to the
// PSS of svinit. It reads a file from disk in smaller ones.
func dropCache(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return err
	}
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// version is the first line that svinit --version prints.
func (c *build) version() string {
	out, err := exec.Command(c.path, "--version").Output()
	if err != nil {
		return "version unknown"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// measureSize compares the sizes of the binaries.
func measureSize(b *bench) *section {
	s := newSection("size: the binary, bytes", titles(b.present(svinit, old)))
	r := newResults()
	r.exact = true
	for _, c := range b.present(svinit, old) {
		r.add(c.name, false, float64(c.build(b).size))
	}
	s.row("svinit", "%.0f", r, false).
		target(r, false, true, "<= 3.75 MB", func(ours, _ float64) bool { return ours <= 3.75e6 })
	return s
}
