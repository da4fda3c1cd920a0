//go:build amd64 || arm64

package spawn

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"svinit/reaper/procattr"
)

// Process is a process that was started and the outcome of its execve(2).
type Process struct {
	PID int

	fd      int // the read end of the pipe, -1 once the outcome is known
	texts   texts
	changes *changes // nil for none
	refused []*procattr.Error
	list    []op
	clone3  cloneArgs
	block   block
	mask    uint64 // the signal mask of the program
}

// Fd returns a descriptor that becomes readable when the outcome is known, to be
// waited for; -1 after Close, and where the outcome is known from the start.
func (p *Process) Fd() int { return p.fd }

// Outcome returns whether the outcome is known, and then the errno of execve(2),
// or of the system call before it that failed: a *procattr.Error for those of
// procattr.Extra and of the user. After an error the process has ended or is about
// to, with exit code 127, and is still to be waited for. No error means that the
// program was executed, or that the process was killed before: its status tells. A
// process that has ended has an outcome. Once it is known, Close follows; the
// outcome can be read once.
func (p *Process) Outcome() (err error, known bool) {
	for {
		var f failure
		const size = int(unsafe.Sizeof(f))
		n, err := unix.Read(p.fd, (*[size]byte)(unsafe.Pointer(&f))[:])
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return nil, false
		case n != size:
			return nil, true
		}
		failed, canGoOn := p.explain(f.op, syscall.Errno(f.errno))
		if !canGoOn {
			return failed, true
		}
		p.refused = append(p.refused, failed.(*procattr.Error))
	}
}

// explain returns the error of the op at an address, and whether the child goes on
// after it.
func (p *Process) explain(op uintptr, errno syscall.Errno) (err error, canGoOn bool) {
	for i := range p.list {
		if uintptr(unsafe.Pointer(&p.list[i])) == op {
			if failed := p.changes.explain(i, errno); failed != nil {
				return failed, p.list[i].flags&reportFail != 0
			}
		}
	}
	return errno, false
}

// Refused returns what the kernel has refused of procattr.Extra and the process
// runs without, once the outcome is known and before Close.
func (p *Process) Refused() []*procattr.Error { return p.refused }

// Close releases what belongs to an outcome that is known: the child refers to
// none of it any more.
func (p *Process) Close() {
	unix.Close(p.fd)
	*p = Process{PID: p.PID, fd: -1}
}
