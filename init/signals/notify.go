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
	arrived chan os.Signal
	ignored uint64
}

var listening atomic.Bool

// private are signals that are mostly, or always, caused by this process itself:
// by the Go runtime's preemption, by our output, by our terminal.
const private = 1<<(syscall.SIGURG-1) | 1<<(syscall.SIGPIPE-1) | 1<<(syscall.SIGTTIN-1) | 1<<(syscall.SIGTTOU-1)

// undelivered are the signals that os/signal does not deliver.
const undelivered = 1<<(syscall.SIGPROF-1) | 1<<(32-1) | 1<<(33-1) | 1<<(34-1)

// Listen catches the given signals from now on, or all if none is given, as far
// as os/signal can, and keeps up to 128 for Next. It may be called once in a
// process. Other signals that the process was started to ignore are caught and
// dropped, so that children have their default action.
func Listen(only ...syscall.Signal) (*Listener, error) {
	if listening.Swap(true) {
		return nil, errListening
	}
	l := &Listener{arrived: make(chan os.Signal, 128)}
	dropped := make(chan os.Signal, 1) // never read: os/signal does not wait
	wanted := wantedOf(only)
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		bit := uint64(1) << (sig - 1)
		if sigaction.Get(sig).Handler == sigaction.Ignore {
			l.ignored |= bit
		}
		switch {
		case l.ignored&undelivered&bit != 0:
			sigaction.Set(sig, sigaction.Action{})
		case wanted&bit != 0 && (len(only) > 0 || private&bit == 0):
			signal.Notify(l.arrived, sig)
		case l.ignored&bit != 0:
			signal.Notify(dropped, sig)
		}
	}
	return l, nil
}

// Await reports at once that no signal is known to have arrived.
func (l *Listener) Await(time.Duration) bool { return false }

// Next waits for a signal and returns it. The error is always nil.
func (l *Listener) Next() (Signal, error) {
	return Signal{Number: (<-l.arrived).(syscall.Signal), Code: Unknown}, nil
}
