package foreground

import "syscall"

// Event is something that has happened to the main program or to this process.
// Which fields are set depends on the Kind.
type Event struct {
	Kind   EventKind
	PID    int
	Signal syscall.Signal
	Status syscall.WaitStatus
	Err    error
	Kernel bool // the signal is from the kernel itself, such as for a terminal
}

// EventKind says what has happened.
type EventKind int

// The kinds of events, each with the fields that it sets.
const (
	Started      EventKind = iota // the main program has been started: PID
	Received                      // this process has received a signal, not SIGCHLD: Signal, PID of its sender or 0, Kernel
	Forwarded                     // a signal has been sent to the main program: Signal
	NotForwarded                  // a signal could not be sent to the main program: PID of the latter, Signal, Err
	Reaped                        // an orphan has ended: PID, Status
	Ended                         // the main program has ended: PID, Status
)

// emit calls the hook of the options.
func (i *Init) emit(e Event) {
	if i.options.OnEvent != nil {
		i.options.OnEvent(e)
	}
}
