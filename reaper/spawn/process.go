//go:build amd64 || arm64

package spawn

import (
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

// Fd returns a descriptor that can be read when the outcome is known, to be
// waited for and not to be read; -1 when it is known already.
func (p *Process) Fd() int { return p.fd }

// Outcome returns whether the outcome is known, and then the errno of execve(2),
// or of the system call before it that failed. After an error the process has
// ended or is about to, with exit code 127, and is still to be waited for. No
// error means that the program was executed, or that the process was killed
// before: its status tells. A process that has ended has an outcome.
func (p *Process) Outcome() (err error, known bool) {
	if p.fd < 0 {
		return nil, true
	}
	var b [8]byte
	n, err := unix.Read(p.fd, b[:])
	for err == unix.EINTR {
		n, err = unix.Read(p.fd, b[:])
	}
	if err == unix.EAGAIN {
		return nil, false
	}
	unix.Close(p.fd)
	// The child refers to none of this any more.
	*p = Process{PID: p.PID, fd: -1}
	if n == len(b) {
		return syscall.Errno(b[0]) | syscall.Errno(b[1])<<8, true
	}
	return nil, true
}
