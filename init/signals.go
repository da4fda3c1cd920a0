package pid1

import (
	"os"
	"os/signal"
	"syscall"
)

// What package os/signal cannot do, we do not do either: SIGPROF and the
// signals 32 to 34 do not reach us, and SIGURG is the Go runtime's own.

// urgent are caught before anything starts: those that stop a container, and
// those that people send to a main program.
var urgent = []os.Signal{
	syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGWINCH,
}

// listenUrgent returns the channel on which signals come. Each one caught
// costs a tenth of a millisecond, so the others wait for listenRest.
func listenUrgent() chan os.Signal {
	c := make(chan os.Signal, 128)
	signal.Notify(c, urgent...)
	return c
}

// listenRest catches all the others that mean something, also for their
// default actions' sake: the Go runtime's is to end the program.
func listenRest(c chan<- os.Signal) {
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case syscall.SIGCHLD, // the reaper's
			syscall.SIGPIPE,                  // our own, for our own output
			syscall.SIGURG,                   // the Go runtime's, for preemption
			syscall.SIGTTIN, syscall.SIGTTOU, // about our own terminal
			syscall.SIGPROF, 32, 33, 34: // never delivered
		default:
			signal.Notify(c, sig)
		}
	}
}

// stops says whether a signal stops a container without a main program.
func stops(sig syscall.Signal) bool {
	return sig == syscall.SIGTERM || sig == syscall.SIGINT || sig == syscall.SIGQUIT
}
