package svlog

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestTryWrite: what fits is written, a full pipe is not waited for, and a
// closed one does not end the test.
func TestTryWrite(t *testing.T) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	TryWrite(p[1], []byte("one\n"))
	b := make([]byte, 8192)
	if n, err := unix.Read(p[0], b); string(b[:max(n, 0)]) != "one\n" || err != nil {
		t.Errorf("%q, %v", b[:max(n, 0)], err)
	}
	size, err := unix.FcntlInt(uintptr(p[1]), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range size/len(b) + 1 { // the last would wait
		TryWrite(p[1], b)
	}
	unix.Close(p[0])
	TryWrite(p[1], []byte("two\n"))
	unix.Close(p[1])
	TryWrite(p[1], []byte("three\n"))
}
