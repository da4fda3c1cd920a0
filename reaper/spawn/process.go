//go:build amd64 || arm64

package spawn

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// Process is a process that was started and the outcome of its execve(2).
type Process struct {
	PID int

	fd     int // the read end of the pipe, -1 once the outcome is known
	texts  texts
	list   []op
	clone3 cloneArgs
	block  block
}

// Fd returns a descriptor that becomes readable when the outcome is known, to be
// waited for; -1 after Close, and where the outcome is known from the start.
func (p *Process) Fd() int { return p.fd }

// Outcome returns whether the outcome is known, and then the errno of execve(2),
// or of the system call before it that failed. After an error the process has
// ended or is about to, with exit code 127, and is still to be waited for. No
// error means that the program was executed, or that the process was killed
// before: its status tells. A process that has ended has an outcome. Once it is
// known, Close follows; the outcome can be read once.
func (p *Process) Outcome() (err error, known bool) {
	var b [8]byte
	n, err := unix.Read(p.fd, b[:])
	for err == unix.EINTR {
		n, err = unix.Read(p.fd, b[:])
	}
	switch {
	case err == unix.EAGAIN:
		return nil, false
	case n == len(b):
		return syscall.Errno(binary.NativeEndian.Uint64(b[:])), true
	}
	return nil, true
}

// Close releases what belongs to an outcome that is known: the child refers to
// none of it any more.
func (p *Process) Close() {
	unix.Close(p.fd)
	*p = Process{PID: p.PID, fd: -1}
}
