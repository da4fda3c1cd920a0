package applet

import (
	"syscall"

	"svinit/reaper/sigaction"
)

// own are the signals that stay as the Go runtime has them: those that it needs
// (its preemption, faults of ours), those that it leaves alone or answers as
// any program does, and those that can be ignored from before, which a handler
// of the runtime's has respected.
const own = 1<<syscall.SIGURG | 1<<syscall.SIGSEGV | 1<<syscall.SIGBUS | 1<<syscall.SIGFPE | 1<<syscall.SIGILL |
	1<<syscall.SIGCHLD | 1<<syscall.SIGCONT | 1<<syscall.SIGTSTP | 1<<syscall.SIGTTIN | 1<<syscall.SIGTTOU |
	1<<syscall.SIGHUP | 1<<syscall.SIGINT | 1<<syscall.SIGTERM | 1<<syscall.SIGKILL | 1<<syscall.SIGSTOP |
	7<<32 // the C library's, which its posix_spawn ignores, make's for one

// endBySignals has a signal end us without a word, as it ends a program in C,
// but for those in keep. The runtime has a handler for nearly all of them,
// which drops USR1 and answers QUIT with a page of goroutines.
//
// Package os/signal must not be used for one that is not in keep: it would not
// know that its handler is gone.
func endBySignals(keep []syscall.Signal) {
	kept := uint64(own)
	for _, sig := range keep {
		kept |= 1 << sig
	}
	for sig := uint(1); sig <= 64; sig++ {
		if sig == 64 || kept>>sig&1 == 0 {
			sigaction.Set(syscall.Signal(sig), sigaction.Action{})
		}
	}
}
