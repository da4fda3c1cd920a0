package services

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/epoll"
	"svinit/services/machine"
)

// Readiness by a descriptor (notification-fd), as s6 has it: the service writes
// a newline to it when it is ready. What comes before the newline and after it
// means nothing. Each process has a pipe of its own, so that what one has
// written is not taken for the next one's.

// noFile in the files of a process is a descriptor that it does not have.
const noFile = ^uintptr(0)

// openNotify makes the pipe and returns its write end. Errors: those of
// pipe2(2).
func (l *launch) openNotify() (w int, err error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return -1, err
	}
	l.notify = ends[0]
	return ends[1], unix.SetNonblock(ends[0], true)
}

func (l *launch) closeNotify() {
	if l.notify >= 0 {
		unix.Close(l.notify)
		l.notify = -1
	}
}

// watchNotify waits for what a process writes to its notification descriptor;
// fd is -1 if it has none.
func (o *owner) watchNotify(fd int) {
	o.closeNotify()
	o.Notifies = fd >= 0
	if fd < 0 {
		return
	}
	if err := o.cfg.Poll.Add(fd, epoll.Edge, o.inbox.poke); err != nil {
		o.warn("wait for the notification of", o.Source.Name, err)
		unix.Close(fd)
		return
	}
	o.notify = fd
}

// closeNotify ends that. What is still in the pipe is lost.
func (o *owner) closeNotify() {
	if o.notify > 0 {
		o.cfg.Poll.Remove(o.notify)
		unix.Close(o.notify)
	}
	o.notify = 0
}

// readNotify reads what the service has written, so much at most that a flood
// keeps nobody waiting.
func (o *owner) readNotify() {
	var b [512]byte
	for range 8 {
		n, err := unix.Read(o.notify, b[:])
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return
		case err != nil || n == 0: // no process has it open any more
			o.closeNotify()
			return
		case bytes.IndexByte(b[:n], '\n') >= 0:
			o.closeNotify() // the rest means nothing
			o.handle(machine.Ready.At(time.Now()))
			return
		}
	}
	o.inbox.poke()
}
