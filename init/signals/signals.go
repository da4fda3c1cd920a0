// Package signals catches every signal that can be caught, for a process that
// passes them on.
//
// Package os/signal cannot do that. It never delivers SIGPROF and the signals
// 32 to 34; it cannot tell a SIGURG of another process from those with which the
// Go runtime preempts goroutines; a SIGSEGV sent by kill(2) ends the program;
// the sender of a signal is unknown; and each signal that is asked for adds
// about 50 µs to the start. So on amd64 and arm64 this package has a handler of
// its own, a page of assembly. The handler must not run Go code: it can be
// entered on any thread at any instruction. See catch.go. On other
// architectures the package uses os/signal, with its limits.
//
// The signals that the Go runtime needs still go to the runtime: faults, its
// preemption by SIGURG, the SIGPROF of its profiler.
//
// A signal that is caught has its default action in children (execve(2)), even
// if this process was started with the signal ignored, as under nohup.
//
// A signal that is caught here must not be asked for through os/signal: it does
// not arrive there.
package signals

import (
	"errors"
	"syscall"
)

// Signal is a signal that has arrived. PID is the process that sent it, as seen
// in our PID namespace, and UID its user. Both are 0 if the kernel sent it, or a
// process outside of our namespace, or if the sender is not known (Code is then
// Unknown). With a Code below 0, but SI_TKILL, the sender has chosen them itself
// (rt_sigqueueinfo(2)).
type Signal struct {
	Number syscall.Signal
	PID    int
	UID    int
	Code   int // si_code of sigaction(2)
}

// Kernel is the Code of a signal that the kernel itself has sent, such as for a
// key on a terminal: SI_KERNEL.
const Kernel = 0x80

// Unknown is the Code of a signal of which only the number is known.
const Unknown = -1 << 31

// errListening is the error of a second Listen: a process has one table of
// signal handlers.
var errListening = errors.New("this process listens already")

// all is the signals that can be caught. Signal N is bit N-1.
const all = ^uint64(1<<(syscall.SIGKILL-1) | 1<<(syscall.SIGSTOP-1))

// wantedOf returns the set of signals that a call of Listen asks for.
func wantedOf(only []syscall.Signal) (wanted uint64) {
	for _, sig := range only {
		wanted |= 1 << (sig - 1)
	}
	if len(only) == 0 {
		wanted = all
	}
	return wanted & all
}

// Ignored reports whether the process was started with a signal ignored, as
// nohup starts programs with SIGHUP ignored.
func (l *Listener) Ignored(sig syscall.Signal) bool { return l.ignored&(1<<(sig-1)) != 0 }
