package applet

import (
	"os/signal"
	"syscall"

	"svinit/reaper/inherit"
	"svinit/reaper/sigaction"
)

// runtimeSignals keep the action that the Go runtime has set: it uses some of them
// itself (preemption, faults), does not change others or acts on them as the default
// action would, and leaves HUP and INT ignored if they were ignored at start.
const runtimeSignals = 1<<syscall.SIGURG | 1<<syscall.SIGSEGV | 1<<syscall.SIGBUS | 1<<syscall.SIGFPE | 1<<syscall.SIGILL |
	1<<syscall.SIGCHLD | 1<<syscall.SIGCONT | 1<<syscall.SIGTSTP | 1<<syscall.SIGTTIN | 1<<syscall.SIGTTOU |
	1<<syscall.SIGHUP | 1<<syscall.SIGINT | 1<<syscall.SIGTERM | 1<<syscall.SIGKILL | 1<<syscall.SIGSTOP |
	7<<32 // used by the C library; posix_spawn, as in make, starts programs with them ignored

// resetSignals sets the default action for all signals except runtimeSignals and those
// in keep, so that they kill a tool as they kill a C program, and ignores those that
// were ignored when the tool was started. The Go runtime has handlers for nearly all
// signals: it drops USR1, and prints all goroutines on QUIT.
//
// Package os/signal must not be used for a signal that is not in keep: it assumes that
// the runtime's handler is still set.
func resetSignals(keep []syscall.Signal) {
	kept := uint64(runtimeSignals)
	for _, sig := range keep {
		kept |= 1 << sig
	}
	runtimes := sigaction.Get(syscall.SIGURG)
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		bit := uint64(1) << (sig - 1)
		isKept := sig != 64 && kept>>sig&1 != 0
		switch {
		case inherit.Ignored()&bit != 0 && !isKept:
			if sig == syscall.SIGPIPE {
				signal.Ignore(sig) // or the runtime acts on the errors of writes
			}
			sigaction.Set(sig, sigaction.Action{Handler: sigaction.Ignore})
		case !isKept:
			sigaction.Set(sig, sigaction.Action{})
		case inherit.Caught()&bit == 0:
		case inherit.Ignored()&bit != 0:
			sigaction.Set(sig, sigaction.Action{Handler: sigaction.Ignore})
		default:
			sigaction.Set(sig, runtimes)
		}
	}
	inherit.Release()
}
