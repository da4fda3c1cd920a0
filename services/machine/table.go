package machine

import "fmt"

// State is what is so. Only the world changes it: a process started, ended, or
// could not be started; a deadline passed.
type State uint8

// The states.
const (
	StateDown      State = iota // nothing runs and nothing is due
	StateBackoff                // nothing runs; StartDeadline is set
	StateLaunching              // a process is about to be made
	StateStarting               // there is a process, and its execve(2) is not over
	StateUp                     // the program runs
	StateFinishing              // it has exited, and finish runs
	StateReleased               // the end: the owner gives the service up
	states
)

func (s State) String() string {
	if s >= states {
		return fmt.Sprintf("state %d", uint8(s))
	}
	return [states]string{"down", "backoff", "launching", "starting", "up", "finishing", "released"}[s]
}

// rule is one cell of the table: a name, and the function that is executed.
type rule struct {
	name string
	do   func(*Machine, Event)
}

var (
	nothing    = rule{"-", func(*Machine, Event) {}}
	impossible = rule{"impossible", (*Machine).impossible}
	save       = rule{"save", (*Machine).save}
	start      = rule{"start", (*Machine).start}
	started    = rule{"started", (*Machine).started}
	executed   = rule{"executed", (*Machine).executed}
	failed     = rule{"failed", (*Machine).failed}
	retryNow   = rule{"retry now", (*Machine).retryNow}
	cancel     = rule{"cancel", (*Machine).cancel}
	stop       = rule{"stop", (*Machine).stop}
	signal     = rule{"signal", (*Machine).signal}
	pause      = rule{"pause", (*Machine).pause}
	resume     = rule{"resume", (*Machine).resume}
	exited     = rule{"exited", (*Machine).exited}
	release    = rule{"release", (*Machine).release}
	closeInput = rule{"close input", (*Machine).closeInput}
	drain      = rule{"drain", (*Machine).drain}
	kill       = rule{"kill", (*Machine).kill}
	refused    = rule{"refused", (*Machine).refused}
	reload     = rule{"reload", (*Machine).reload}
	ready      = rule{"ready", (*Machine).ready}
	finished   = rule{"finished", (*Machine).finished}
	killFinish = rule{"kill finish", (*Machine).killFinish}
)

// wants has what an event changes in what is wanted, in every state. Events
// that are not here change nothing.
var wants = [kinds]func(*Machine){
	Up:         func(m *Machine) { m.Want = WantUp },
	Down:       func(m *Machine) { m.Want = WantDown },
	Once:       func(m *Machine) { m.Want = WantOnce },
	AtMostOnce: func(m *Machine) { m.Want = WantOnce },
	Exit:       func(m *Machine) { m.ReleaseWhenDown = true },
	Release:    func(m *Machine) { m.Want, m.ReleaseWhenDown = WantDown, true },
	Drain:      func(m *Machine) { m.ReleaseWhenDown, m.Draining = true, true },
	Kill:       func(m *Machine) { m.Want, m.ReleaseWhenDown, m.Draining = WantDown, true, false },
}

// table is the whole policy. A cell without a name is a hole, and TestTable
// finds it. StateReleased has no row: its owner has ended.
var table = [StateReleased][kinds]rule{
	StateDown: {
		Up:           start,
		Down:         save,
		Once:         start,
		AtMostOnce:   save,
		Exit:         release,
		Pause:        save,
		Continue:     save,
		Signal:       nothing,
		Restart:      nothing,
		Reload:       nothing,
		Release:      release,
		Drain:        release, // it was commanded to be down: what it has not read is lost
		TermLogger:   nothing,
		Kill:         release,
		Changed:      nothing,
		Started:      started,
		Executed:     impossible,
		StartFailed:  failed,
		Exited:       impossible,
		Ready:        nothing, // it was quicker to end than its notification to be read
		Finished:     impossible,
		FinishFailed: impossible,
		Refused:      nothing,
		Unstoppable:  nothing,
		StartDue:     impossible,
		ExecSlow:     impossible,
		KillDue:      impossible,
		FinishDue:    impossible,
	},
	StateBackoff: {
		Up:           retryNow,
		Down:         cancel,
		Once:         save,
		AtMostOnce:   cancel,
		Exit:         release,
		Pause:        save,
		Continue:     save,
		Signal:       nothing,
		Restart:      nothing,
		Reload:       nothing,
		Release:      release,
		Drain:        drain,
		TermLogger:   nothing,
		Kill:         release,
		Changed:      retryNow,
		Started:      started,
		Executed:     impossible,
		StartFailed:  failed,
		Exited:       impossible,
		Ready:        nothing, // it was quicker to end than its notification to be read
		Finished:     impossible,
		FinishFailed: impossible,
		Refused:      nothing,
		Unstoppable:  nothing,
		StartDue:     start,
		ExecSlow:     impossible,
		KillDue:      impossible,
		FinishDue:    impossible,
	},
	StateLaunching: {
		Up:           save,
		Down:         cancel,
		Once:         save,
		AtMostOnce:   cancel,
		Exit:         save,
		Pause:        save,
		Continue:     save,
		Signal:       nothing,
		Restart:      nothing,
		Reload:       nothing,
		Release:      release,
		Drain:        closeInput,
		TermLogger:   nothing,
		Kill:         release,
		Changed:      nothing,
		Started:      started,
		Executed:     impossible,
		StartFailed:  failed,
		Exited:       impossible,
		Ready:        nothing, // it was quicker to end than its notification to be read
		Finished:     impossible,
		FinishFailed: impossible,
		Refused:      nothing,
		Unstoppable:  nothing,
		StartDue:     impossible,
		ExecSlow:     save,
		KillDue:      impossible,
		FinishDue:    impossible,
	},
	StateStarting: {
		Up:           save,
		Down:         stop,
		Once:         save,
		AtMostOnce:   save,
		Exit:         save,
		Pause:        pause,
		Continue:     resume,
		Signal:       signal,
		Restart:      stop,
		Reload:       reload,
		Release:      stop,
		Drain:        closeInput,
		TermLogger:   stop,
		Kill:         kill,
		Changed:      nothing,
		Started:      impossible,
		Executed:     executed,
		StartFailed:  failed,
		Exited:       exited,
		Ready:        ready,
		Finished:     impossible,
		FinishFailed: impossible,
		Refused:      refused,
		Unstoppable:  release,
		StartDue:     impossible,
		ExecSlow:     save,
		KillDue:      kill,
		FinishDue:    impossible,
	},
	StateUp: {
		Up:           save,
		Down:         stop,
		Once:         save,
		AtMostOnce:   save,
		Exit:         save,
		Pause:        pause,
		Continue:     resume,
		Signal:       signal,
		Restart:      stop,
		Reload:       reload,
		Release:      stop,
		Drain:        closeInput,
		TermLogger:   stop,
		Kill:         kill,
		Changed:      nothing,
		Started:      impossible,
		Executed:     impossible,
		StartFailed:  impossible,
		Exited:       exited,
		Ready:        ready,
		Finished:     impossible,
		FinishFailed: impossible,
		Refused:      refused,
		Unstoppable:  release,
		StartDue:     impossible,
		ExecSlow:     impossible,
		KillDue:      kill,
		FinishDue:    impossible,
	},
	StateFinishing: {
		Up:           save,
		Down:         save,
		Once:         save,
		AtMostOnce:   save,
		Exit:         save,
		Pause:        nothing,
		Continue:     nothing,
		Signal:       nothing,
		Restart:      nothing,
		Reload:       nothing,
		Release:      save,
		Drain:        closeInput,
		TermLogger:   nothing,
		Kill:         killFinish,
		Changed:      nothing,
		Started:      impossible,
		Executed:     impossible,
		StartFailed:  impossible,
		Exited:       impossible,
		Ready:        nothing, // it was quicker to end than its notification to be read
		Finished:     finished,
		FinishFailed: finished,
		Refused:      nothing,
		Unstoppable:  nothing,
		StartDue:     impossible,
		ExecSlow:     impossible,
		KillDue:      impossible,
		FinishDue:    killFinish,
	},
}

// drawTable draws the table: a line an event, a column a state.
func drawTable() string {
	s := fmt.Sprintf("%-10s", "")
	for st := range StateReleased {
		s += fmt.Sprintf(" %-11s", st)
	}
	for ev := range kinds {
		s += fmt.Sprintf("\n%-10s", ev)
		for st := range StateReleased {
			s += fmt.Sprintf(" %-11s", table[st][ev].name)
		}
	}
	return s + "\n"
}
