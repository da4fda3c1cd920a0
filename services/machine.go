package services

import (
	"syscall"
	"time"

	"svinit/services/svdir"
)

const (
	// minLife is daemontools' rule: never two starts within one second. A
	// service that has lived as long is started again at once.
	minLife = time.Second
	// maxRetry bounds the pause before what could not be started is tried
	// again: 1 s, then twice as long each time. A change in its directory
	// ends the pause.
	maxRetry = 30 * time.Second
)

// want is what is wanted. Only commands change it. The values are those of
// the status record.
type want = svdir.Want

const (
	wantUp   = svdir.WantUp
	wantDown = svdir.WantDown
	wantOnce = svdir.WantOnce
)

// input is what comes with an event.
type input struct {
	now    time.Time
	sig    syscall.Signal // cmdSignal
	group  bool           // cmdSignal: to the process group
	unread int            // died, askDrain: the bytes left in a logger's pipe
}

// effect is what the owner does after a step, in this order.
type effect uint16

const (
	doLaunch     effect = 1 << iota // start the process: started or failed follows
	doArm                           // wake with due at notBefore
	doHangUp                        // close the write end of the logger's input
	doNote                          // write the status
	doTellKill                      // say that it did not stop in time
	doImpossible                    // report an event that this state cannot have
)

// machine is the part of a service that decides. Step is pure: it reads no
// clock and touches nothing outside.
type machine struct {
	state     state
	want      want
	letGo     bool // x, or leaving: over as soon as nothing runs
	draining  bool // a logger whose input has ended
	paused    bool
	gotTERM   bool
	failures  uint      // failed starts in a row
	notBefore time.Time // the next start's earliest time
	now       time.Time // of this step
	told      uint64    // signals sent in this life, a bit each
	toldAt    time.Time // when the last of TERM and KILL was
	left      int       // draining: what was unread when it was last looked at
	todo      effect    // what this step asks for
	signals   []sending // and what it sends
}

// sending is a signal to the process, or to its process group.
type sending struct {
	sig   syscall.Signal
	group bool
}

// step obeys one event.
func (m *machine) step(ev event, in input) {
	m.now = in.now
	m.todo, m.signals = 0, m.signals[:0]
	if change := wants[ev]; change != nil {
		change(m)
	}
	table[m.state][ev].do(m, in)
}

func (m *machine) impossible(input) { m.todo |= doImpossible }
func (m *machine) note(input)       { m.todo |= doNote }

// start starts now, or when the second after the last start is over.
func (m *machine) start(in input) {
	m.todo |= doNote
	if m.notBefore.After(in.now) {
		m.state = wait
		m.todo |= doArm
		return
	}
	m.todo |= doLaunch
}

// again tries at once what could not be started: its directory has changed,
// or an operator asks.
func (m *machine) again(in input) {
	m.todo |= doNote
	if m.failures > 0 {
		m.notBefore = in.now
		m.start(in)
	}
}

func (m *machine) enter(in input) {
	m.state = up
	m.failures, m.told, m.toldAt = 0, 0, time.Time{}
	m.paused, m.gotTERM = false, false
	m.notBefore = in.now.Add(minLife)
	m.todo |= doNote
}

func (m *machine) retry(in input) {
	m.state = wait
	m.notBefore = in.now.Add(min(minLife<<min(m.failures, 16), maxRetry))
	m.failures++
	m.todo |= doArm | doNote
}

func (m *machine) cancel(input) {
	m.state = down
	if m.failures > 0 {
		m.failures, m.notBefore = 0, time.Time{} // nothing has run: no second to wait for
	}
	m.todo |= doNote
}

// stop is daemontools' way: TERM, and CONT so that a stopped process gets it.
func (m *machine) stop(input) {
	m.tell(syscall.SIGTERM, false)
	m.tell(syscall.SIGCONT, false)
	m.paused = false
	m.todo |= doNote
}

func (m *machine) send(in input) {
	m.tell(in.sig, in.group)
	switch in.sig {
	case syscall.SIGSTOP:
		m.pausedNow(true)
	case syscall.SIGCONT:
		m.pausedNow(false)
	}
}

func (m *machine) pause(input) {
	m.tell(syscall.SIGSTOP, false)
	m.pausedNow(true)
}

func (m *machine) resume(input) {
	m.tell(syscall.SIGCONT, false)
	m.pausedNow(false)
}

func (m *machine) pausedNow(p bool) {
	m.paused = p
	m.todo |= doNote
}

func (m *machine) tell(sig syscall.Signal, group bool) {
	m.signals = append(m.signals, sending{sig, group})
	m.told |= 1 << sig
	if sig == syscall.SIGTERM || sig == syscall.SIGKILL {
		m.toldAt = m.now
	}
	if sig == syscall.SIGTERM {
		m.gotTERM = true
		m.todo |= doNote
	}
}

// settle decides what follows a death.
func (m *machine) settle(in input) {
	m.state = down
	m.paused, m.gotTERM = false, false
	m.todo |= doNote
	defer func() { m.left = in.unread }()
	switch {
	case m.letGo && !(m.draining && m.want == wantUp && in.unread > 0 && in.unread < m.left):
		// One that died before it had read everything starts again, as long
		// as it gets anywhere.
		m.state = over
	case m.want == wantUp:
		m.start(in)
	}
}

func (m *machine) leave(input) {
	m.state = over
	m.todo |= doNote
}

// hangUp ends a logger's input. One that is paused could never read it.
func (m *machine) hangUp(in input) {
	m.todo |= doHangUp
	m.left = in.unread + 1 // the first death may have read nothing yet
	if m.paused {
		m.resume(in)
	}
}

// flush lets a logger that is about to start read what is left, unless it
// cannot be started.
func (m *machine) flush(in input) {
	m.todo |= doHangUp
	m.left = in.unread
	if in.unread == 0 || m.failures > 0 {
		m.leave(in)
	}
}

func (m *machine) kill(input) {
	m.tell(syscall.SIGKILL, false)
	m.todo |= doTellKill
}

// quiet says whether a death was asked for, so that it is no news: the service
// is to be down, or a signal that we sent killed it, or it had its TERM not
// long ago and ended in its own way.
func (m *machine) quiet(ws syscall.WaitStatus, now time.Time) bool {
	const longAgo = 30 * time.Second
	return m.want == wantDown || m.draining && ws == 0 ||
		ws.Signaled() && m.told&(1<<ws.Signal()) != 0 ||
		!m.toldAt.IsZero() && now.Sub(m.toldAt) < longAgo
}
