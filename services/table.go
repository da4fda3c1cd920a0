package services

import "fmt"

// state is what is so. Only the world changes it: a process started, ended,
// could not be started; a time came.
type state uint8

const (
	down state = iota // nothing runs and nothing is due
	wait              // nothing runs; a start is due at notBefore
	up                // the process runs
	over              // let go; the owner ends
	states
)

func (s state) String() string { return [states]string{"down", "wait", "up", "over"}[s] }

// event is what can happen to a service.
type event uint8

const (
	// Commands, svdir.Cmd… in supervise/control.
	cmdUp event = iota
	cmdDown
	cmdOnce
	cmdAtMost
	cmdExit
	cmdPause
	cmdContinue
	cmdSignal // all those that only send a signal
	cmdRestart

	// From the set that the service belongs to.
	askLeave   // stop by the service's own rule, and let go
	askDrain   // the same for a logger: its input ends
	askTerm    // a logger has read everything and is still there
	askKill    // the deadline has come
	askChanged // the service directory has changed

	// The world.
	started // the process runs
	failed  // it could not be started
	died
	due // the time to start has come
	events
)

func (e event) String() string {
	return [events]string{
		"u", "d", "o", "O", "x", "p", "c", "signal", "r",
		"leave", "drain", "term", "kill", "changed",
		"started", "failed", "died", "due",
	}[e]
}

// rule is one cell of the table: a name, and what is done. The step functions
// change the machine and name effects; they do nothing themselves.
type rule struct {
	name string
	do   func(*machine, input)
}

var (
	nothing    = rule{"-", func(*machine, input) {}}
	impossible = rule{"impossible", (*machine).impossible}
	note       = rule{"note", (*machine).note}
	start      = rule{"start", (*machine).start}
	enter      = rule{"enter", (*machine).enter}
	retry      = rule{"retry", (*machine).retry}
	again      = rule{"again", (*machine).again}
	cancel     = rule{"cancel", (*machine).cancel}
	stop       = rule{"stop", (*machine).stop}
	send       = rule{"send", (*machine).send}
	pause      = rule{"pause", (*machine).pause}
	resume     = rule{"resume", (*machine).resume}
	settle     = rule{"settle", (*machine).settle}
	leave      = rule{"leave", (*machine).leave}
	hangUp     = rule{"hang up", (*machine).hangUp}
	flush      = rule{"flush", (*machine).flush}
	kill       = rule{"kill", (*machine).kill}
)

// wants says what an event changes in what is wanted, in every state; events
// that are not here change nothing.
var wants = [events]func(*machine){
	cmdUp:     func(m *machine) { m.want = wantUp },
	cmdDown:   func(m *machine) { m.want = wantDown },
	cmdOnce:   func(m *machine) { m.want = wantOnce },
	cmdAtMost: func(m *machine) { m.want = wantOnce },
	cmdExit:   func(m *machine) { m.letGo = true },
	askLeave:  func(m *machine) { m.want, m.letGo = wantDown, true },
	askDrain:  func(m *machine) { m.letGo, m.draining = true, true },
	askKill:   func(m *machine) { m.want, m.letGo, m.draining = wantDown, true, false },
}

// table is the whole policy. A cell without a name is a hole, and a test
// finds it. over has no row: its owner has ended.
var table = [over][events]rule{
	down: {
		cmdUp:       start,
		cmdDown:     note,
		cmdOnce:     start,
		cmdAtMost:   note,
		cmdExit:     leave,
		cmdPause:    note,
		cmdContinue: note,
		cmdSignal:   nothing,
		cmdRestart:  nothing,
		askLeave:    leave,
		askDrain:    leave, // it was told to be down: what it has not read is lost
		askTerm:     nothing,
		askKill:     leave,
		askChanged:  nothing,
		started:     enter,
		failed:      retry,
		died:        impossible,
		due:         nothing, // the timer of a start that has been cancelled
	},
	wait: {
		cmdUp:       again,
		cmdDown:     cancel,
		cmdOnce:     note,
		cmdAtMost:   cancel,
		cmdExit:     leave,
		cmdPause:    note,
		cmdContinue: note,
		cmdSignal:   nothing,
		cmdRestart:  nothing,
		askLeave:    leave,
		askDrain:    flush,
		askTerm:     nothing,
		askKill:     leave,
		askChanged:  again,
		started:     enter,
		failed:      retry,
		died:        impossible,
		due:         start,
	},
	up: {
		cmdUp:       note,
		cmdDown:     stop,
		cmdOnce:     note,
		cmdAtMost:   note,
		cmdExit:     note,
		cmdPause:    pause,
		cmdContinue: resume,
		cmdSignal:   send,
		cmdRestart:  stop,
		askLeave:    stop,
		askDrain:    hangUp,
		askTerm:     stop,
		askKill:     kill,
		askChanged:  nothing,
		started:     impossible,
		failed:      impossible,
		died:        settle,
		due:         nothing, // the timer of an earlier start
	},
}

// drawTable draws the table: a line an event, a column a state.
func drawTable() string {
	s := fmt.Sprintf("%-9s", "")
	for st := range over {
		s += fmt.Sprintf(" %-11s", st)
	}
	for ev := range events {
		s += fmt.Sprintf("\n%-9s", ev)
		for st := range over {
			s += fmt.Sprintf(" %-11s", table[st][ev].name)
		}
	}
	return s + "\n"
}
