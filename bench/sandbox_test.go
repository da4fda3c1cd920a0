package main

import (
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// PID 1 must get the smallest descriptor table and no inherited descriptor, even
// if bench has a descriptor with a high number.
func TestDescriptorTable(t *testing.T) {
	if os.Geteuid() != 0 || !installed("cc") {
		t.Skip("needs root and a C compiler")
	}
	fd, err := unix.FcntlInt(0, unix.F_DUPFD, 300)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	b, err := open(options{svinit: "/nonexistent"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	s, err := b.sandbox(layout{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	err = s.boot([]string{"/bin/sh", "-c", "grep FDSize /proc/1/status; [ -e /proc/1/fd/300 ] || echo closed; exit 7"}, in)
	in.Close()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	// The kernel's smallest table is NR_OPEN_DEFAULT: the bits of a word.
	if want := "FDSize:\t64\nclosed\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	status, err := wait(s.pid, stepTimeout)
	if s.pid = 0; err != nil || status.ExitStatus() != 7 {
		t.Errorf("wait for PID 1: %v, %v, want exit 7", status, err)
	}
}
