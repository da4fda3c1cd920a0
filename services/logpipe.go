package services

import (
	"golang.org/x/sys/unix"
)

// logPipe is the pipe between a service and its logger. Both ends stay open
// here, so that no byte is lost when either of them exits.
type logPipe struct{ r, w int }

// unread returns how many bytes the pipe of a logger still holds.
func (o *owner) unread() int {
	if o.input == nil {
		return 0
	}
	return o.input.unread()
}

// closeWriter closes our write end.
func (p *logPipe) closeWriter() {
	if p.w >= 0 {
		unix.Close(p.w)
		p.w = -1
	}
}

func (p *logPipe) unread() int {
	n, _ := unix.IoctlGetInt(p.r, unix.TIOCINQ)
	return n
}
