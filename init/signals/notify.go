//go:build !amd64 && !arm64

package signals

import (
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"svinit/reaper/sigaction"
)

// Listener hands out the signals caught.
type Listener struct {
	came    chan os.Signal
	ignored uint64
}

var listening atomic.Bool

// notOthers are signals that mostly, or always, are about ourselves: the Go
// runtime's preemption, our own output, our own terminal.
const notOthers = 1<<(syscall.SIGURG-1) | 1<<(syscall.SIGPIPE-1) | 1<<(syscall.SIGTTIN-1) | 1<<(syscall.SIGTTOU-1)

// never is what os/signal does not deliver.
const never = 1<<(syscall.SIGPROF-1) | 1<<(32-1) | 1<<(33-1) | 1<<(34-1)

// Listen catches, from now on, the signals given, or all if none is given, as
// far as os/signal can. It may be called once in a process. What comes is kept
// for Next, 128 at most. The others that the process was started to ignore are
// caught and dropped, so that children have them at their default.
func Listen(only ...syscall.Signal) (*Listener, error) {
	if listening.Swap(true) {
		return nil, errListening
	}
	l := &Listener{came: make(chan os.Signal, 128)}
	dropped := make(chan os.Signal, 1) // never read: os/signal does not wait
	wanted := wantedOf(only)
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		bit := uint64(1) << (sig - 1)
		if sigaction.Get(sig).Handler == sigaction.Ignore {
			l.ignored |= bit
		}
		switch {
		case l.ignored&never&bit != 0:
			sigaction.Set(sig, sigaction.Action{})
		case wanted&bit != 0 && (len(only) > 0 || notOthers&bit == 0):
			signal.Notify(l.came, sig)
		case l.ignored&bit != 0:
			signal.Notify(dropped, sig)
		}
	}
	return l, nil
}

// Await says at once that nothing is known to have come.
func (l *Listener) Await(time.Duration) bool { return false }

// Next waits for a signal. It returns no error.
func (l *Listener) Next() (Signal, error) {
	return Signal{Number: (<-l.came).(syscall.Signal), Code: Unknown}, nil
}
