package services

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"svinit/services/svlog"
)

// logPipe is the pipe between a service and its logger. Both ends stay open
// here, so that no byte is lost when either of them exits.
//
// The Set makes these system calls, which never block, without telling the Go
// scheduler (RawSyscall): it needs no thread for them, see slots.
type logPipe struct{ r, w int }

// newLogPipe returns what svlog.NewPipe does. Errors: those of
// pipe2(2).
func newLogPipe() (*logPipe, error) {
	var ends [2]int32
	if _, _, errno := unix.RawSyscall(unix.SYS_PIPE2, uintptr(unsafe.Pointer(&ends)), unix.O_CLOEXEC, 0); errno != 0 {
		return nil, errno
	}
	unix.RawSyscall(unix.SYS_FCHMOD, uintptr(ends[1]), svlog.PipeMode, 0)
	return &logPipe{int(ends[0]), int(ends[1])}, nil
}

// closeWriter closes our write end.
func (p *logPipe) closeWriter() {
	if p.w >= 0 {
		unix.RawSyscall(unix.SYS_CLOSE, uintptr(p.w), 0, 0)
		p.w = -1
	}
}

// close closes both ends.
func (p *logPipe) close() {
	p.closeWriter()
	unix.RawSyscall(unix.SYS_CLOSE, uintptr(p.r), 0, 0)
}

// unread returns how many bytes the pipe holds.
func (p *logPipe) unread() int {
	var n int32
	unix.RawSyscall(unix.SYS_IOCTL, uintptr(p.r), unix.TIOCINQ, uintptr(unsafe.Pointer(&n)))
	return int(n)
}

// unread returns how many bytes the pipe of a logger still holds.
func (o *owner) unread() int {
	if o.input == nil {
		return 0
	}
	return o.input.unread()
}
