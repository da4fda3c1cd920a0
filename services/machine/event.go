package machine

import (
	"fmt"
	"syscall"
	"time"
)

// Kind says what has happened to a service.
type Kind uint8

// The kinds of events, in three groups: commands that came through
// supervise/control, orders of the set that the service belongs to, and what
// the world did.
const (
	Up         Kind = iota // start, and restart after each exit
	Down                   // stop, and do not restart
	Once                   // start, and do not restart
	AtMostOnce             // do not restart, and do not start
	Exit                   // release the service when it is down
	Pause                  // SIGSTOP
	Continue               // SIGCONT
	Signal                 // Event.Signal, to the process group with Event.Group
	Restart                // stop; what is wanted stays

	Release    // stop the service, then release it
	Drain      // the same for a logger: its input ends
	TermLogger // a logger has read all of its input and still runs
	Kill       // the deadline of the shutdown has passed
	Changed    // the service directory has changed

	Started     // after Launch: there is a process, which is about to execute the program
	Executed    // it has executed it
	StartFailed // after Launch: there is no process, or it could not execute the program
	Exited      // the process with Event.Role ended with Event.Status
	StartDue    // the deadline StartDeadline has passed
	ExecSlow    // the deadline ExecDeadline has passed
	kinds
)

func (k Kind) String() string {
	if k >= kinds {
		return fmt.Sprintf("event %d", uint8(k))
	}
	return [kinds]string{
		"u", "d", "o", "O", "x", "p", "c", "signal", "r",
		"release", "drain", "term", "kill", "changed",
		"started", "executed", "failed", "exited", "start due", "exec slow",
	}[k]
}

// Role is what a process does for its service. An exit carries the role of
// the process that ended, so that several processes of one service can run at
// the same time.
type Role uint8

// The roles. Today every process has the first.
const (
	RoleRun Role = iota // the service itself: its executable run
	Roles               // the number of roles
)

func (r Role) String() string {
	if r >= Roles {
		return fmt.Sprintf("role %d", uint8(r))
	}
	return [Roles]string{"run"}[r]
}

// Event is something that has happened, with what is known of it. Kind decides
// which of the fields behind Time are set.
type Event struct {
	Kind   Kind
	Time   time.Time          // when it happened
	Signal syscall.Signal     // Signal: which one
	Group  bool               // Signal: to the process group
	Role   Role               // Exited: which process
	Status syscall.WaitStatus // Exited: how it ended
	Unread int                // Exited, Drain: bytes left in the pipe of a logger
}

// At returns the event of this kind at a time; most kinds need nothing else.
func (k Kind) At(now time.Time) Event { return Event{Kind: k, Time: now} }
