package filter

import (
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// waiter waits for signals and standard input together. A goroutine receives the
// signals from the Go runtime and wakes the main goroutine, which waits in
// ppoll(2), by an eventfd. The runtime's poller is no alternative: it would make
// standard input non-blocking for every process that shares it.
type waiter struct {
	term, alarm atomic.Bool
	signals     chan os.Signal
	wakeFD      int // eventfd, readable after a signal
	lastRead    time.Time
	busy        bool // small reads follow each other quickly
	lastAttempt bool // after TERM: everything is tried once more, without pauses
}

const (
	// retryDelay is how long multilog waits before it retries, as the original.
	retryDelay = 5 * time.Second
	// Input is busy when a read returns less than busySize bytes within
	// busyInterval of the one before. Then multilog waits for busyDelay before
	// the next read, so that lines collect in the pipe: otherwise each line would
	// wake us, which costs its writer more than writing the line.
	busyDelay    = 100 * time.Microsecond
	busyInterval = time.Millisecond
	// busySize leaves room in the pipe for what is written during busyDelay.
	busySize = readSize / 4
)

// catchSignals starts to catch signals.
func (w *waiter) catchSignals() (err error) {
	if w.wakeFD, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("create eventfd: %w", err)
	}
	w.signals = make(chan os.Signal, 4)
	// PIPE is caught and ignored: with its default action, a warning to a closed
	// standard error would kill us and lose lines that are read but not written.
	// In processors it has its default action.
	signal.Notify(w.signals, unix.SIGTERM, unix.SIGALRM, unix.SIGPIPE)
	go func(signals <-chan os.Signal, event int) {
		one := []byte{1, 0, 0, 0, 0, 0, 0, 0}
		for s := range signals {
			switch s {
			case unix.SIGTERM:
				w.term.Store(true)
			case unix.SIGALRM:
				w.alarm.Store(true)
			default:
				continue
			}
			unix.Write(event, one)
		}
		unix.Close(event)
	}(w.signals, w.wakeFD)
	return nil
}

// stopSignals ends the goroutine of catchSignals.
func (w *waiter) stopSignals() {
	signal.Stop(w.signals)
	close(w.signals)
}

// waitReadable waits until fd is readable, a signal arrives, or the time is over.
// An fd of -1 waits for signals only, a negative time forever. It reports whether
// fd is readable.
func (w *waiter) waitReadable(fd int, d time.Duration) bool {
	var timeout *unix.Timespec
	if d >= 0 {
		t := unix.NsecToTimespec(int64(d))
		timeout = &t
	}
	fds := [2]unix.PollFd{{Fd: int32(w.wakeFD), Events: unix.POLLIN}, {Fd: int32(fd), Events: unix.POLLIN}}
	if _, err := unix.Ppoll(fds[:], timeout, nil); err != nil {
		return false
	}
	if fds[0].Revents != 0 {
		var count [8]byte
		unix.Read(w.wakeFD, count[:])
		return false
	}
	return fds[1].Revents != 0
}

// pause reports an error and waits for retryDelay. It returns true if the caller
// is to retry. TERM ends the pause; then everything is tried once more, and on the
// next error pause returns false. In the original only KILL ends a pause.
func (l *logger) pause(what string, err error) bool {
	if l.lastAttempt {
		l.env.Warn(what+", giving up", err)
		return false
	}
	l.env.Warn(what+", pausing", err)
	for end := time.Now().Add(retryDelay); !l.term.Load(); {
		left := time.Until(end)
		if left <= 0 {
			return true
		}
		l.waitReadable(-1, left)
	}
	l.lastAttempt = true
	return true
}

// read flushes the directories and reads more input. After TERM it reads one byte
// at a time, up to the end of the line: the rest stays in the pipe for the next
// multilog. It returns 0 at the end.
func (l *logger) read() int {
	for {
		for _, d := range l.dirs {
			d.Flush()
		}
		if l.busy {
			l.busy = false
			l.waitReadable(-1, busyDelay)
		}
		if l.alarm.CompareAndSwap(true, false) {
			for _, d := range l.dirs {
				d.Rotate()
			}
		}
		buf := l.in[:]
		if l.term.Load() {
			if l.lineLen == 0 && !l.overlong {
				return 0
			}
			buf = buf[:1]
		}
		if !l.waitReadable(l.stdin, -1) {
			continue
		}
		n, err := unix.Read(l.stdin, buf)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
		case n <= 0:
			return 0
		default:
			now := time.Now()
			l.busy = n < busySize && now.Sub(l.lastRead) < busyInterval && !l.term.Load()
			l.lastRead = now
			return n
		}
	}
}
