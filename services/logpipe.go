package services

import (
	"golang.org/x/sys/unix"
)

// logPipe is the pipe between a service and its logger. Both ends stay open
// here, so that the death of neither side loses a byte.
type logPipe struct{ r, w int }

// unread is how many bytes a logger's pipe still holds.
func (s *service) unread() int {
	if s.input == nil {
		return 0
	}
	return s.input.unread()
}

// hangUp closes our write end.
func (p *logPipe) hangUp() {
	if p.w >= 0 {
		unix.Close(p.w)
		p.w = -1
	}
}

func (p *logPipe) unread() int {
	n, _ := unix.IoctlGetInt(p.r, unix.TIOCINQ)
	return n
}
