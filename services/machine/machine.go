package machine

import (
	"syscall"
	"time"
)

// Want is what is wanted of a service. Only commands change it.
type Want uint8

// The wants.
const (
	WantUp   Want = iota // run, and restart after each exit
	WantDown             // do not run
	WantOnce             // run until it exits, and do not restart
)

// Machine is what has been decided about a service so far: plain values, which
// can be written down and read back. The zero value is a service that is down
// and wanted up.
type Machine struct {
	State           State
	Want            Want
	ReleaseWhenDown bool // by Exit or Release: StateReleased as soon as nothing runs
	Draining        bool // a logger whose input has ended
	Paused          bool // the process is stopped by SIGSTOP
	GotTERM         bool // the process was sent SIGTERM
	Failures        uint // failed starts in a row
	NotBefore       time.Time
	// SentSignals has a bit for each signal that this process was sent, and
	// LastStop is when the last TERM or KILL among them was.
	SentSignals uint64
	LastStop    time.Time
	Unread      int // Draining: what was unread when the logger was last started
	Deadlines   Deadlines

	effects Effects // only during a step
}

// Step handles one event and returns what the owner has to do.
func (m *Machine) Step(ev Event) Effects {
	if change := wants[ev.Kind]; change != nil {
		change(m)
	}
	table[m.State][ev.Kind].do(m, ev)
	if m.State != StateBackoff {
		m.Deadlines[StartDeadline] = time.Time{}
	}
	if m.State != StateLaunching && m.State != StateStarting {
		m.Deadlines[ExecDeadline] = time.Time{}
	}
	effects := m.effects
	m.effects = Effects{}
	return effects
}

func (m *Machine) do(kind EffectKind) { m.effects.add(Effect{Kind: kind}) }

func (m *Machine) impossible(Event) { m.do(ReportImpossible) }
func (m *Machine) save(Event)       { m.do(SaveStatus) }

// start starts the process now, or when NotBefore has come.
func (m *Machine) start(ev Event) {
	m.do(SaveStatus)
	if m.NotBefore.After(ev.Time) {
		m.State = StateBackoff
		m.Deadlines[StartDeadline] = m.NotBefore
		return
	}
	m.State = StateLaunching
	m.Deadlines[ExecDeadline] = ev.Time.Add(slowExec)
	m.do(Launch)
}

// retryNow ends the pause after a failed start: the service directory has
// changed, or an operator asks.
func (m *Machine) retryNow(ev Event) {
	m.do(SaveStatus)
	if m.Failures > 0 {
		m.NotBefore = ev.Time
		m.start(ev)
	}
}

// slowExec is how long a launch and its execve(2) may take before the status
// shows it.
const slowExec = 100 * time.Millisecond

// started notes that there is a process. It may have been made although that
// was no longer wanted.
func (m *Machine) started(ev Event) {
	if m.State != StateLaunching {
		m.Deadlines[ExecDeadline] = ev.Time.Add(slowExec)
	}
	m.State = StateStarting
	m.SentSignals, m.LastStop = 0, time.Time{}
	m.Paused, m.GotTERM = false, false
	m.NotBefore = ev.Time.Add(MinLife)
	if m.Want == WantDown {
		m.stop(ev)
	}
}

func (m *Machine) executed(Event) {
	m.State = StateUp
	m.Failures = 0
	m.do(SaveStatus)
}

// failed tries again after a pause what could not be started, unless nobody
// wants that any more. A logger that still has something to read gets one more
// chance.
func (m *Machine) failed(ev Event) {
	m.do(SaveStatus)
	switch {
	case m.ReleaseWhenDown && (!m.Draining || m.Failures > 0):
		m.State = StateReleased
	case m.Want == WantDown:
		m.cancel(ev)
	default:
		m.State = StateBackoff
		m.NotBefore = ev.Time.Add(RetryDelay(m.Failures))
		m.Deadlines[StartDeadline] = m.NotBefore
		m.Failures++
	}
}

func (m *Machine) cancel(Event) {
	if m.State == StateLaunching {
		m.do(CancelLaunch)
	}
	m.State = StateDown
	if m.Failures > 0 {
		m.Failures, m.NotBefore = 0, time.Time{} // nothing has run, so the next start need not wait
	}
	m.do(SaveStatus)
}

// stop is daemontools' way: TERM, and CONT so that a stopped process acts on
// it.
func (m *Machine) stop(ev Event) {
	m.send(ev, syscall.SIGTERM, false)
	m.send(ev, syscall.SIGCONT, false)
	m.Paused = false
	m.do(SaveStatus)
}

func (m *Machine) signal(ev Event) {
	m.send(ev, ev.Signal, ev.Group)
	switch ev.Signal {
	case syscall.SIGSTOP:
		m.setPaused(true)
	case syscall.SIGCONT:
		m.setPaused(false)
	}
}

func (m *Machine) pause(ev Event) {
	m.send(ev, syscall.SIGSTOP, false)
	m.setPaused(true)
}

func (m *Machine) resume(ev Event) {
	m.send(ev, syscall.SIGCONT, false)
	m.setPaused(false)
}

func (m *Machine) setPaused(paused bool) {
	m.Paused = paused
	m.do(SaveStatus)
}

func (m *Machine) send(ev Event, sig syscall.Signal, group bool) {
	m.effects.add(Effect{Kind: Send, signal: uint8(sig), Group: group})
	m.SentSignals |= 1 << sig
	if sig == syscall.SIGTERM || sig == syscall.SIGKILL {
		m.LastStop = ev.Time
	}
	if sig == syscall.SIGTERM {
		m.GotTERM = true
		m.do(SaveStatus)
	}
}

// exited decides what follows the end of the process.
func (m *Machine) exited(ev Event) {
	m.State = StateDown
	m.Paused, m.GotTERM = false, false
	m.do(SaveStatus)
	unread := m.Unread
	m.Unread = ev.Unread
	// A logger that ended before it had read everything is restarted, as long
	// as it makes progress.
	unfinished := m.Draining && m.Want == WantUp && ev.Unread > 0 && ev.Unread < unread
	switch {
	case m.ReleaseWhenDown && !unfinished:
		m.State = StateReleased
	case m.Want == WantUp:
		m.start(ev)
	}
}

func (m *Machine) release(Event) {
	m.State = StateReleased
	m.do(SaveStatus)
}

// closeInput ends the input of a logger. A paused logger is continued, since it
// could never read the end.
func (m *Machine) closeInput(ev Event) {
	m.do(CloseInput)
	m.Unread = ev.Unread + 1 // the first process may have read nothing yet
	if m.Paused {
		m.resume(ev)
	}
}

// drain lets a logger that is about to start read what is left, unless it
// cannot be started.
func (m *Machine) drain(ev Event) {
	m.do(CloseInput)
	m.Unread = ev.Unread
	if ev.Unread == 0 || m.Failures > 0 {
		m.release(ev)
	}
}

func (m *Machine) kill(ev Event) {
	m.send(ev, syscall.SIGKILL, false)
	m.do(ReportKill)
}

// Unsettled reports whether the status is about to change by itself, so that
// writing it can wait.
func (m *Machine) Unsettled() bool {
	return (m.State == StateLaunching || m.State == StateStarting) && !m.Deadlines[ExecDeadline].IsZero()
}

// Expected reports whether the end of the process with this status needs no
// report: the service is wanted down, or a signal that we sent ended it, or it
// was sent TERM not long ago and ended in its own way.
func (m *Machine) Expected(status syscall.WaitStatus, now time.Time) bool {
	const recent = 30 * time.Second
	return m.Want == WantDown || m.Draining && status == 0 ||
		status.Signaled() && m.SentSignals&(1<<status.Signal()) != 0 ||
		!m.LastStop.IsZero() && now.Sub(m.LastStop) < recent
}
