package filter

import (
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// attention is what multilog listens to beside standard input. The Go runtime
// takes the signals; a goroutine notes them and wakes whoever sleeps in
// poll(2). Reading cannot be left to the runtime's own poller: it would make
// standard input non-blocking for all who share it.
type attention struct {
	term, alarm atomic.Bool
	signals     chan os.Signal
	event       int       // an eventfd, readable after a signal
	last        time.Time // of the last read
	flooded     bool      // small reads come fast
	final       bool      // TERM has come and a last attempt is being made at everything
}

const (
	// pauseTime is how long multilog waits before it tries again.
	pauseTime = 5 * time.Second
	// gather is how long a flood of small writes may gather in the pipe, and
	// often how soon after the one before a read must come to be one of a flood.
	// Otherwise each line would wake us, which costs its writer more than the
	// line does.
	gather = 100 * time.Microsecond
	often  = time.Millisecond
	// few bytes leave room in the pipe for what comes while it is let alone.
	few = chunk / 4
)

// attend begins to listen.
func (a *attention) attend() (err error) {
	if a.event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("create eventfd: %w", err)
	}
	a.signals = make(chan os.Signal, 4)
	// Without PIPE, a reader of our warnings that has gone would end us and all
	// that is read and not yet written. Processors have it at its default.
	signal.Notify(a.signals, unix.SIGTERM, unix.SIGALRM, unix.SIGPIPE)
	go func(signals <-chan os.Signal, event int) {
		one := []byte{1, 0, 0, 0, 0, 0, 0, 0}
		for s := range signals {
			switch s {
			case unix.SIGTERM:
				a.term.Store(true)
			case unix.SIGALRM:
				a.alarm.Store(true)
			default:
				continue
			}
			unix.Write(event, one)
		}
		unix.Close(event)
	}(a.signals, a.event)
	return nil
}

// close ends attend's goroutine.
func (a *attention) close() {
	signal.Stop(a.signals)
	close(a.signals)
}

// sleep waits until fd can be read, or a signal comes, or until the time is over;
// fd -1 is none, a negative time forever. It reports whether fd can be read.
func (a *attention) sleep(fd int, d time.Duration) bool {
	var timeout *unix.Timespec
	if d >= 0 {
		t := unix.NsecToTimespec(int64(d))
		timeout = &t
	}
	fds := [2]unix.PollFd{{Fd: int32(a.event), Events: unix.POLLIN}, {Fd: int32(fd), Events: unix.POLLIN}}
	if _, err := unix.Ppoll(fds[:], timeout, nil); err != nil {
		return false
	}
	if fds[0].Revents != 0 {
		var count [8]byte
		unix.Read(a.event, count[:])
		return false
	}
	return fds[1].Revents != 0
}

// pause says what cannot be done and waits, so that it can be tried again. TERM
// ends the waiting: then everything is tried once more, and after that false
// says to give up. The original cannot be ended here but by KILL.
func (l *logger) pause(what string, err error) bool {
	if l.final {
		l.env.Warn(what+", giving up", err)
		return false
	}
	l.env.Warn(what+", pausing", err)
	for end := time.Now().Add(pauseTime); !l.term.Load(); {
		left := time.Until(end)
		if left <= 0 {
			return true
		}
		l.sleep(-1, left)
	}
	l.final = true
	return true
}

// read writes what there is to write and reads more. After TERM that is a byte
// at a time, up to the end of the line: the rest stays in the pipe for the
// next multilog. It returns 0 at the end.
func (l *logger) read() int {
	for {
		for _, d := range l.dirs {
			d.Flush()
		}
		if l.flooded {
			l.flooded = false
			l.sleep(-1, gather)
		}
		if l.alarm.CompareAndSwap(true, false) {
			for _, d := range l.dirs {
				d.Rotate()
			}
		}
		buf := l.in[:]
		if l.term.Load() {
			if l.n == 0 && !l.long {
				return 0
			}
			buf = buf[:1]
		}
		if !l.sleep(l.stdin, -1) {
			continue
		}
		n, err := unix.Read(l.stdin, buf)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
		case n <= 0:
			return 0
		default:
			now := time.Now()
			l.flooded = n < few && now.Sub(l.last) < often && !l.term.Load()
			l.last = now
			return n
		}
	}
}
