package machine

import (
	"syscall"
	"time"

	"svinit/services/spec"
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

	// Stop and Finish are how the service is to be stopped and what follows its
	// exit, as its directory said at the last start.
	Stop   spec.Stop
	Finish spec.Finish

	// SentSignals has a bit for each signal that this process was sent, and
	// LastStop is when the last TERM or KILL among them was.
	SentSignals uint64
	LastStop    time.Time
	ReadySince  time.Time // when the process said that it is ready; zero until then
	Unread      int       // Draining: what was unread when the logger was last started
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
	if m.State != StateStarting && m.State != StateUp {
		m.Deadlines[KillDeadline] = time.Time{}
	}
	if m.State != StateFinishing {
		m.Deadlines[FinishDeadline] = time.Time{}
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
	m.SentSignals, m.LastStop, m.ReadySince = 0, time.Time{}, time.Time{}
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

// stop sends the stop signal, and CONT so that a stopped process acts on it.
func (m *Machine) stop(ev Event) {
	down := ev.Kind != Restart
	ev.Letter = 't'
	m.send(ev, m.Stop.StopSignal(), m.Stop.Group)
	ev.Letter = 0
	m.send(ev, syscall.SIGCONT, m.Stop.Group)
	if down {
		m.effects.add(Effect{Kind: RunControl, Letter: 'd'})
	}
	m.GotTERM, m.LastStop = true, ev.Time
	m.Paused = false
	if m.Stop.KillAfter > 0 && m.Deadlines[KillDeadline].IsZero() {
		m.Deadlines[KillDeadline] = ev.Time.Add(m.Stop.KillAfter)
	}
	m.do(SaveStatus)
}

// ready notes the first notification of a process.
func (m *Machine) ready(ev Event) {
	if m.ReadySince.IsZero() {
		m.ReadySince = ev.Time
		m.do(SaveStatus)
		m.do(ReportReady)
	}
}

func (m *Machine) reload(ev Event) { m.send(ev, m.Stop.ReloadSignal(), false) }

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
	m.effects.add(Effect{Kind: Send, signal: uint8(sig), Group: group, Letter: ev.Letter})
	m.SentSignals |= 1 << sig
	if sig == syscall.SIGTERM || sig == syscall.SIGKILL {
		m.LastStop = ev.Time
	}
	if sig == syscall.SIGTERM {
		m.GotTERM = true
		m.do(SaveStatus)
	}
}

// refused takes back what was noted of a signal that could not be sent.
func (m *Machine) refused(ev Event) {
	m.SentSignals &^= 1 << ev.Signal
	switch ev.Signal {
	case syscall.SIGSTOP:
		m.Paused = false
	case m.Stop.StopSignal(), syscall.SIGTERM, syscall.SIGKILL:
		m.GotTERM, m.LastStop = false, time.Time{}
	}
	m.do(SaveStatus)
}

// exited runs finish, or decides at once what follows the end of the process.
func (m *Machine) exited(ev Event) {
	m.Paused, m.GotTERM, m.ReadySince = false, false, time.Time{}
	m.do(SaveStatus)
	if !m.Finish.Exists {
		m.afterExit(ev)
		return
	}
	m.State = StateFinishing
	if m.Finish.Timeout > 0 {
		m.Deadlines[FinishDeadline] = ev.Time.Add(m.Finish.Timeout)
	}
	m.do(LaunchFinish)
}

// giveUpCode is the exit code by which finish gives a service up, as in s6.
const giveUpCode = 125

// finished decides what follows the end of finish.
func (m *Machine) finished(ev Event) {
	m.do(SaveStatus)
	if ev.Kind == Finished && ev.Status.Exited() && ev.Status.ExitStatus() == giveUpCode && m.Want == WantUp {
		m.Want = WantDown
		m.do(ReportGiveUp)
	}
	m.afterExit(ev)
}

func (m *Machine) killFinish(Event) { m.do(KillFinish) }

// afterExit decides what follows when nothing runs any more.
func (m *Machine) afterExit(ev Event) {
	m.State = StateDown
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

// kill ends a service that has outlived its timeout-kill, or the shutdown.
func (m *Machine) kill(ev Event) {
	m.send(ev, syscall.SIGKILL, m.Stop.KillGroup)
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
