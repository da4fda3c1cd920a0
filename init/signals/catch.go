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

	"svinit/reaper/inherit"
	"svinit/reaper/sigaction"
)

// The handler (handler_amd64.s, handler_arm64.s) is entered by the kernel on
// any thread, with all signals blocked, on the stack that the Go runtime has
// set up for signals. What it does depends on the origin in siginfo:
//
//	sent by the kernel (si_code > 0, which no other process can fake)
//	    in faults         call the Go runtime, for a panic or a profile
//	    SIGTTOU           block it in this thread (see background)
//	    others            hand out: Ctrl-C, alarms, window sizes
//	sent by this process (SI_USER or SI_TKILL, which no other process can fake)
//	    in private        call the Go runtime, or drop the signal
//	    others            hand out
//	SI_TIMER, SIGPROF     call the Go runtime, for a profile: it is ignored
//	                      unless the runtime itself has set a timer
//	sent by others        hand out: rt_sigqueueinfo(2) lets any process choose
//	                      a negative si_code, and with it the sender
//
// To hand out a signal the handler writes the beginning of siginfo into a pipe.
// The write does not block: when the pipe is full, the handler sets the bit of
// the signal in missed and tries to write one empty record, in case the reader
// has emptied the pipe in between without seeing the bit. If that write fails
// too, the pipe was full after the bit was set, and the reader, which looks at
// missed after each read, will see the bit. So the order and the senders of
// 2,048 signals are kept, which is what a pipe holds, and no kind of signal is
// ever lost.
//
// A child between fork and exec shares our memory and descriptors and, for
// signals that the Go runtime does not use, our handler. It drops the signals
// that it gets; otherwise they would look as if they had been sent to us.

// The variables that the handler reads, and missed, which it also writes. Signal
// N is bit N-1.
var (
	// faults are raised by an instruction of a thread, and SIGPROF by the
	// timers of the Go runtime's profiler.
	faults uint64 = 1<<(syscall.SIGILL-1) | 1<<(syscall.SIGTRAP-1) | 1<<(syscall.SIGBUS-1) | 1<<(syscall.SIGFPE-1) |
		1<<(syscall.SIGSEGV-1) | 1<<(syscall.SIGSYS-1) | 1<<(syscall.SIGPROF-1)

	// background is the signal that the kernel sends to a process that writes
	// to its terminal from the background. After the handler the kernel
	// restarts the write and sends the signal again, without end, unless it is
	// ignored, which children would inherit, or blocked: then the write
	// succeeds. (This process reads from no terminal, so SIGTTIN is about
	// another process of our process group.)
	//
	//lint:ignore U1000 the assembly reads it
	background uint64 = 1 << (syscall.SIGTTOU - 1)

	// private is the signals that this process causes itself: the Go runtime
	// sends SIGURG for preemption and 33 for system calls in all threads, and
	// the kernel sends SIGPIPE and SIGXFSZ together with the error of a write.
	// If SIGPIPE were passed on, the message about that could cause the next.
	//
	//lint:ignore U1000 the assembly reads it
	private uint64 = runtimes | 1<<(syscall.SIGPIPE-1) | 1<<(syscall.SIGXFSZ-1)

	//lint:ignore U1000 the assembly reads it
	self     uint64      // our pid
	pipe     uint64      // the write end of the pipe
	previous [64]uintptr // the Go runtime's handlers for faults and runtimes, by number less 1
	missed   uint64      // signals for which the pipe had no room
	//lint:ignore U1000 the assembly reads it
	empty [infoSize]byte // an empty record
	entry uintptr        // the address of the handler, set in the assembly
)

// runtimes are the signals that the Go runtime sends to itself.
const runtimes = 1<<(syscall.SIGURG-1) | 1<<(33-1)

// infoSize is the size of a record in bytes, the beginning of siginfo: si_signo,
// si_errno, si_code, a gap, si_pid, si_uid, each of 4 bytes, and si_value of 8.
// The size of a pipe is a multiple of it, so no record is ever written in part.
const infoSize = 32

// Listener hands out the signals caught.
type Listener struct {
	fd      int
	pipe    *os.File // of fd, once Next waits in the Go runtime's poller
	wanted  uint64
	ignored uint64
	buf     [32 * infoSize]byte
	unread  []byte // of buf
	missed  uint64 // taken from the handler and not yet returned
}

// Listen catches the given signals from now on, or all if none is given, and
// keeps them for Next. It may be called once in a process. Other signals that
// the process was started to ignore are caught and dropped, so that children
// have their default action. Errors: those of pipe(2).
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

	// With the flags of the Go runtime: on its stack for signals, all signals
	// blocked meanwhile, system calls restarted, and its restorer on amd64.
	ours := sigaction.Get(syscall.SIGURG)
	ours.Handler = entry
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		bit := uint64(1) << (sig - 1)
		old := sigaction.Get(sig)
		if old.Handler == sigaction.Ignore || inherit.Ignored()&bit != 0 {
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
	inherit.Release()
	if arrived := inherit.Arrived(); arrived != 0 {
		// What the handler does when the pipe is full.
		atomic.OrUint64(&missed, arrived)
		unix.Write(p[1], empty[:])
	}
	return l, unblock()
}

// Await waits until a signal has arrived for Next, for limit at most, and
// reports whether one has. Unlike Next it needs neither the Go runtime's poller
// nor another thread, which take longer to make than a short-lived program
// runs. It is for the time before the first Next.
func (l *Listener) Await(limit time.Duration) bool {
	for end := time.Now().Add(limit); ; {
		left := unix.NsecToTimespec(max(0, int64(time.Until(end))))
		n, err := unix.Ppoll([]unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}, &left, nil)
		if err != unix.EINTR { // from the signal itself, which is in the pipe then
			return n > 0
		}
	}
}

// Next waits for a signal and returns it. Errors: those of read(2) from a pipe.
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
	if s.Code <= 0 && s.Code != timer { // with other codes these bytes are other fields
		s.PID, s.UID = word(16), int(uint32(word(20)))
	}
	return s
}

// timer is SI_TIMER, the code of a signal of timer_create(2).
const timer = -2

// unblock makes sure that at least one thread has no signal blocked. All threads
// have the signal mask with which the process was started, without the signals
// that the Go runtime needs.
func unblock() error {
	var mask, none unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, nil, &mask); err != nil {
		return fmt.Errorf("read the mask of signals: %w", err)
	}
	if mask != none {
		go func() {
			runtime.LockOSThread() // never unlocked: this thread is for signals
			unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil)
			select {}
		}()
	}
	return nil
}
