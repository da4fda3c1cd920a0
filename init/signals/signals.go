// Package signals catches every signal that can be caught, for a process that
// passes them on.
//
// Package os/signal cannot do that. It never delivers SIGPROF and the signals
// 32 to 34; SIGURG from others is mixed with those by which the Go runtime
// stops its own goroutines; a SIGSEGV sent by kill(2) ends the program; who
// has sent a signal remains unknown; and each signal asked for takes about
// 50 µs of a start. So on amd64 and arm64 we have a handler of our own, a page
// of assembly, which must not run Go: it may find itself on any thread, in the
// middle of anything. See catch.go. Elsewhere it is os/signal with its limits.
//
// What the runtime has signals for still goes to the runtime: faults, its
// preemption by SIGURG, the profile's SIGPROF.
//
// A signal caught is at its default in children (execve(2)), also one that we
// were started to ignore, as under nohup.
//
// Do not ask os/signal for a signal that is caught here: it would not come.
package signals

import (
	"errors"
	"syscall"
)

// Signal is a signal that has come. PID is the process that sent it, as our
// PID namespace has it, and UID its user; both are 0 where the kernel sent it,
// a process outside of our namespace, or where nobody told (Code is then
// Unknown).
type Signal struct {
	Number syscall.Signal
	PID    int
	UID    int
	Code   int // si_code of sigaction(2)
}

// Kernel is the Code of a signal that the kernel itself has sent, as for a key
// on a terminal: SI_KERNEL.
const Kernel = 0x80

// Unknown is the Code of a signal of which nothing but the number is known.
const Unknown = -1 << 31

// errListening is a second Listen: there is one table of handlers.
var errListening = errors.New("this process listens already")

// all is what can be caught. Signal N is bit N-1.
const all = ^uint64(1<<(syscall.SIGKILL-1) | 1<<(syscall.SIGSTOP-1))

// wantedOf is the set of the signals of a Listen.
func wantedOf(only []syscall.Signal) (wanted uint64) {
	for _, sig := range only {
		wanted |= 1 << (sig - 1)
	}
	if len(only) == 0 {
		wanted = all
	}
	return wanted & all
}

// Ignored says whether the process was started to ignore a signal, as nohup
// does it with SIGHUP.
func (l *Listener) Ignored(sig syscall.Signal) bool { return l.ignored&(1<<(sig-1)) != 0 }
