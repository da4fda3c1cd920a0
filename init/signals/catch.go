//go:build amd64 || arm64

package signals

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"svinit/reaper/sigaction"
)

// The handler (handler_amd64.s, handler_arm64.s) is entered by the kernel on
// any thread, with all signals blocked, on the stack that the Go runtime has
// set up for its own. It decides by what siginfo says of the origin:
//
//	from the kernel (si_code > 0, or SI_TIMER)
//	    of faults         to the runtime: it makes a panic of it, or a profile
//	    SIGTTOU           blocked in this thread (see background)
//	    others            ours: Ctrl-C, alarms, window sizes
//	from this process (SI_USER or SI_TKILL, which nobody else can claim)
//	    of private        to the runtime, or dropped
//	    others            ours
//	from others           ours
//
// Ours is written into a pipe, siginfo as it is. The write never waits: when
// the pipe is full, the signal's bit in missed is set, and one more write of
// an empty record tried, in case the reader has just emptied the pipe and not
// seen the bit. If that fails too then the pipe has been full after the bit
// was set, and the reader, who looks at missed when it has read, will see it.
// So order and sender are kept for the 2,048 that a pipe holds, and no kind
// of signal is ever lost.
//
// A child between fork and exec shares our memory and descriptors and, for
// signals that the Go runtime knows nothing of, our handler. It drops what it
// gets, or we would think it ours.

// What the handler reads, and missed, which it writes. Signal N is bit N-1.
var (
	// faults are raised by what a thread does, and SIGPROF by the timers of
	// the Go runtime's profiler.
	faults uint64 = 1<<(syscall.SIGILL-1) | 1<<(syscall.SIGTRAP-1) | 1<<(syscall.SIGBUS-1) | 1<<(syscall.SIGFPE-1) |
		1<<(syscall.SIGSEGV-1) | 1<<(syscall.SIGSYS-1) | 1<<(syscall.SIGPROF-1)

	// background is what the kernel sends to who writes to its terminal from
	// the background. Then the call starts again and would be told again, for
	// ever, unless the signal is ignored, which children would inherit, or
	// blocked: then a write goes through. (We read from no terminal, so SIGTTIN
	// is about another in our process group.)
	//
	//lint:ignore U1000 the assembly reads it
	background uint64 = 1 << (syscall.SIGTTOU - 1)

	// private is what a process sends to itself: the Go runtime SIGURG for
	// preemption and 33 for system calls of all threads, the kernel SIGPIPE
	// and SIGXFSZ with the error of a write. Passed on, one of these would come
	// of each message about passing it on.
	//
	//lint:ignore U1000 the assembly reads it
	private uint64 = runtimes | 1<<(syscall.SIGPIPE-1) | 1<<(syscall.SIGXFSZ-1)

	//lint:ignore U1000 the assembly reads it
	self     uint64      // our pid
	pipe     uint64      // its write end
	previous [64]uintptr // the Go runtime's handlers for faults and runtimes, by number less 1
	missed   uint64      // what the pipe had no room for
	//lint:ignore U1000 the assembly reads it
	empty [infoSize]byte // a record of nothing
	entry uintptr        // where the handler is, from the assembly
)

// runtimes are what the Go runtime sends to itself.
const runtimes = 1<<(syscall.SIGURG-1) | 1<<(33-1)

// infoSize is how much of siginfo is a record: si_signo, si_errno, si_code,
// a gap, si_pid, si_uid, each of 4 bytes, and si_value of 8. It divides the
// size of a pipe, so that none is ever written in part.
const infoSize = 32

// Listener hands out the signals caught.
type Listener struct {
	fd      int
	pipe    *os.File // of fd, once Next waits in the Go runtime's poller
	wanted  uint64
	ignored uint64
	buf     [32 * infoSize]byte
	unread  []byte // of buf
	missed  uint64 // taken from the handler, and not handed out
}

// Listen catches, from now on, the signals given, or all if none is given. It
// may be called once in a process. What comes is kept for Next. The others
// that the process was started to ignore are caught and dropped, so that
// children have them at their default. Errors: those of pipe(2).
func Listen(only ...syscall.Signal) (*Listener, error) {
	if pipe != 0 {
		return nil, errListening
	}
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("make a pipe for signals: %w", err)
	}
	l := &Listener{fd: p[0], wanted: wantedOf(only)}
	self, pipe = uint64(os.Getpid()), uint64(p[1])

	// As the Go runtime catches: on its stack for signals, with all blocked
	// meanwhile, system calls started again, and the restorer of amd64.
	ours := sigaction.Get(syscall.SIGURG)
	ours.Handler = entry
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		bit := uint64(1) << (sig - 1)
		old := sigaction.Get(sig)
		if old.Handler == sigaction.Ignore {
			l.ignored |= bit
		}
		if (l.wanted|l.ignored)&bit == 0 {
			continue
		}
		if (faults|runtimes)&bit != 0 {
			previous[sig-1] = old.Handler
		}
		sigaction.Set(sig, ours)
	}
	return l, unblock()
}

// Await waits until something has come for Next, but not longer than most, and
// says whether it has. Unlike Next it needs neither the Go runtime's poller nor
// another thread, which take longer to make than a short-lived program takes.
// It is for the time before the first Next.
func (l *Listener) Await(most time.Duration) bool {
	for end := time.Now().Add(most); ; {
		left := unix.NsecToTimespec(max(0, int64(time.Until(end))))
		n, err := unix.Ppoll([]unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}, &left, nil)
		if err != unix.EINTR { // by the signal itself, which is in the pipe then
			return n > 0
		}
	}
}

// Next waits for a signal. Its errors are those of a read from a pipe.
func (l *Listener) Next() (Signal, error) {
	if l.pipe == nil {
		l.pipe = os.NewFile(uintptr(l.fd), "signals")
	}
	for {
		for len(l.unread) > 0 {
			s := parse(l.unread)
			l.unread = l.unread[infoSize:]
			if s.Number != 0 && l.wanted&(1<<(s.Number-1)) != 0 {
				return s, nil
			}
		}
		for l.missed != 0 {
			n := bits.TrailingZeros64(l.missed)
			l.missed &= l.missed - 1
			if l.wanted&(1<<n) != 0 {
				return Signal{Number: syscall.Signal(n + 1), Code: Unknown}, nil
			}
		}
		n, err := l.pipe.Read(l.buf[:])
		if err != nil {
			return Signal{}, fmt.Errorf("read the pipe of signals: %w", err)
		}
		l.unread = l.buf[:n]
		l.missed = atomic.SwapUint64(&missed, 0)
	}
}

// parse reads a record.
func parse(info []byte) Signal {
	word := func(i int) int { return int(int32(binary.NativeEndian.Uint32(info[i:]))) }
	s := Signal{Number: syscall.Signal(word(0)), Code: word(8)}
	if s.Code <= 0 && s.Code != timer { // else these bytes are something else
		s.PID, s.UID = word(16), int(uint32(word(20)))
	}
	return s
}

// timer is SI_TIMER, the code of a signal of timer_create(2).
const timer = -2

// unblock makes sure that one thread at least has no signal blocked. All
// have what we were started with, less what the Go runtime cannot do without.
func unblock() error {
	var mask, none unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, nil, &mask); err != nil {
		return fmt.Errorf("read the mask of signals: %w", err)
	}
	if mask != none {
		go func() {
			runtime.LockOSThread() // for ever: this thread is for signals
			unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil)
			select {}
		}()
	}
	return nil
}
