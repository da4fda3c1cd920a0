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
	Reload                 // send the reload signal

	Release    // stop the service, then release it
	Drain      // the same for a logger: its input ends
	TermLogger // a logger has read all of its input and still runs
	Kill       // the deadline of the shutdown has passed
	Changed    // the service directory has changed

	Started      // after Launch: there is a process, which is about to execute the program
	Executed     // it has executed it
	StartFailed  // after Launch: there is no process, or it could not execute the program
	Exited       // the process of RoleRun ended with Event.Status
	Ready        // the service has said that it is ready
	Finished     // the process of RoleFinish ended with Event.Status
	FinishFailed // after LaunchFinish: it could not be executed
	Refused      // Event.Signal could not be sent, for lack of permission
	Unstoppable  // the same at the shutdown: nothing can end the process but the end of this one
	StartDue     // the deadline StartDeadline has passed
	ExecSlow     // the deadline ExecDeadline has passed
	KillDue      // the deadline KillDeadline has passed
	FinishDue    // the deadline FinishDeadline has passed
	kinds
)

func (k Kind) String() string {
	if k >= kinds {
		return fmt.Sprintf("event %d", uint8(k))
	}
	return [kinds]string{
		"u", "d", "o", "O", "x", "p", "c", "signal", "r", "l",
		"release", "drain", "term", "kill", "changed",
		"started", "executed", "failed", "exited", "ready", "finished", "no finish", "refused", "no stop",
		"start due", "exec slow", "kill due", "finish due",
	}[k]
}

// Role is what a process does for its service. An exit carries the role of
// the process that ended, so that several processes of one service can run at
// the same time.
type Role uint8

// The roles.
const (
	RoleRun     Role = iota // the service itself: its executable run
	RoleFinish              // its executable finish
	RoleControl             // an executable in control, in place of a signal
	Roles                   // the number of roles
)

func (r Role) String() string {
	if r >= Roles {
		return fmt.Sprintf("role %d", uint8(r))
	}
	return [Roles]string{"run", "finish", "control"}[r]
}

// Event is something that has happened, with what is known of it. Kind decides
// which of the fields behind Time are set.
type Event struct {
	Kind   Kind
	Time   time.Time          // when it happened
	Signal syscall.Signal     // Signal, Refused: which one
	Group  bool               // Signal: to the process group
	Letter byte               // the command as it stands in supervise/control, 0 for no command
	Status syscall.WaitStatus // Exited, Finished: how it ended
	Unread int                // Exited, Drain: bytes left in the pipe of a logger
}

// At returns the event of this kind at a time; most kinds need nothing else.
func (k Kind) At(now time.Time) Event { return Event{Kind: k, Time: now} }
