package services

import (
	"fmt"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/machine"
	"svinit/services/spec"
)

// owner supervises one process: the service of a service directory, or its
// logger. Its goroutine (run) alone touches its fields; everybody else sends to
// the inbox.
type owner struct {
	cfg *Config
	record
	handles

	// inbox has messages of four types: a machine.Event of the set or the
	// reaper, an outcome of the reaper, a spec.Source when the service directory has another name, a *logPipe
	// when a logger was added. The poller pokes it when there are commands.
	inbox  inbox[any]
	report func(report)  // takes what the set needs to know; does not block
	slots  chan struct{} // see runWithSlot; may be nil

	spec           spec.Spec
	specFresh      bool              // spec was read for a start that is still to come
	acquired       bool              // the service may run
	statusDirty    bool              // the status is to be written
	statusRetry    bool              // the last attempt to write it failed
	pendingExitLog func()            // reports the last exit
	warned         map[string]string // the last warning by verb, not to be repeated
}

// newOwner returns an owner whose goroutine does not run yet.
func newOwner(cfg *Config, src spec.Source, r func(report)) *owner {
	return &owner{cfg: cfg, record: record{Source: src}, inbox: newInbox[any](), report: r}
}

// order sends an event that needs nothing but its kind.
func (o *owner) order(kind machine.Kind) { o.inbox.send(machine.Event{Kind: kind}) }

// run is the goroutine of the owner. It ends when the service is released.
func (o *owner) run() {
	defer func() { o.report(report{owner: o, kind: ownerEnded}) }()
	o.Since = time.Now()
	o.awaitAcquisition()
	for o.State != machine.StateReleased {
		// The status is written after what it describes was done and, when many
		// services start at once, after the others had their turn to start.
		if o.statusDirty && !o.Unsettled() {
			o.runWithSlot(o.saveStatus)
		}
		select {
		case <-o.inbox.wake:
			o.runWithSlot(o.receive)
		case <-o.due():
			o.runWithSlot(o.handleDue)
		}
	}
	o.runWithSlot(o.close)
}

// awaitAcquisition tries to acquire the state directory until that succeeds or
// the service is released. The pauses grow; a change of the service directory
// ends one.
func (o *owner) awaitAcquisition() {
	for failures := uint(0); ; failures++ {
		o.runWithSlot(o.acquire)
		if o.acquired || o.State == machine.StateReleased {
			return
		}
		now := time.Now()
		o.arm(now.Add(machine.RetryDelay(failures)), now)
		select {
		case <-o.inbox.wake:
			o.runWithSlot(o.receive)
		case <-o.due():
		}
		o.arm(time.Time{}, now)
	}
}

// runWithSlot calls f, which must not wait for anything but the system, while
// it has one of the slots. A call into a slow file system holds a thread of the
// Go runtime, which makes another one for the next goroutine, and ends the
// program where the system allows no more threads: the slots bound their
// number.
//
// f has a goroutine of its own. Forking and writing files grow the stack to
// 8 KB, which a goroutine keeps while it sleeps and gives back when it ends.
//
// A panic in f ends the supervision of this service and nothing else.
func (o *owner) runWithSlot(f func()) {
	if o.slots != nil {
		o.slots <- struct{}{}
		defer func() { <-o.slots }()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				o.State = machine.StateReleased
				o.news(fmt.Sprintf("is no longer supervised: a bug of svinit: %v: %s", p, debug.Stack()))
			}
		}()
		f()
	}()
	<-done
}

// acquire takes the state directory, if that is possible, and then starts the
// service unless its directory says that it is down.
func (o *owner) acquire() {
	if o.state == nil {
		if err := o.hold(); err != nil {
			// A service directory that is gone is the set's business.
			if unix.Access(o.Source.Dir, unix.F_OK) == nil {
				o.warn("supervise", o.Source.Name, err)
			}
			return
		}
	}
	o.acquired = true
	o.load()
	if !o.inbox.empty() {
		// It may be released before its first start.
		o.receive()
	}
	first := machine.Up
	if o.spec.Down {
		first = machine.Down
	}
	if o.State != machine.StateReleased {
		o.handle(first.At(time.Now()))
	}
	o.statusDirty = true
}

// load reads the service directory for the next start.
func (o *owner) load() (problems []spec.Problem) {
	o.spec, problems = spec.Load(o.Source)
	o.specFresh = true
	for _, p := range problems {
		if !p.Fatal {
			o.warn(p.Verb, p.File, p.Err)
		}
	}
	return problems
}

// receive handles the messages and commands that have come.
func (o *owner) receive() {
	if o.statusRetry {
		o.statusRetry, o.statusDirty = false, true
	}
	for _, content := range o.inbox.take() {
		switch m := content.(type) {
		case spec.Source:
			o.Source = m
		case *logPipe:
			o.output = m
		case outcome:
			if o.State != machine.StateReleased {
				o.handleOutcome(m)
			}
		case machine.Event:
			m.Time, m.Unread = time.Now(), o.unread()
			switch {
			case o.State == machine.StateReleased:
			case m.Kind == machine.Exited:
				o.handleExit(m)
			default:
				o.handle(m)
			}
		}
	}
	if o.state != nil && o.State != machine.StateReleased {
		o.readCommands()
	}
}

// readCommands handles the commands in supervise/control.
func (o *owner) readCommands() {
	var b [64]byte
	n, err := o.state.ReadControl(b[:])
	if err != nil {
		o.warn("read", o.state.Path+"/control", err)
	}
	for _, c := range b[:n] {
		if ev, ok := command(c); ok && o.State != machine.StateReleased {
			ev.Time = time.Now()
			o.handle(ev)
		}
	}
	if n == len(b) {
		o.inbox.poke() // there may be more; an exit must not wait for a flood
	}
}

// handleDue handles the deadlines that have passed.
func (o *owner) handleDue() {
	o.armed = time.Time{}
	now := time.Now()
	for ev, ok := o.Deadlines.Due(now); ok && o.State != machine.StateReleased; ev, ok = o.Deadlines.Due(now) {
		o.handle(ev)
	}
	o.arm(o.Deadlines.Next(), now)
}

// handleExit handles the end of a process.
func (o *owner) handleExit(ev machine.Event) {
	lived := ev.Time.Sub(o.Since)
	expected := o.Expected(ev.Status, ev.Time)
	o.PIDs[ev.Role], o.Since, o.LastExit = 0, ev.Time, ev.Status
	o.Exits++
	effects := o.Step(ev)
	if next := o.afterExit(&effects); !expected {
		o.pendingExitLog = func() {
			oom := ev.Status.Signaled() && ev.Status.Signal() == syscall.SIGKILL && o.killedForMemory()
			o.news(exitMessage(ev.Status, oom, lived) + "; " + next)
		}
	}
	o.perform(ev, &effects)
	o.logExit()
	if o.State == machine.StateDown {
		o.report(report{owner: o, kind: serviceDown, status: ev.Status})
	}
}

// logExit reports the last exit. That waits until the next process is started,
// so as not to delay it.
func (o *owner) logExit() {
	if report := o.pendingExitLog; report != nil {
		o.pendingExitLog = nil
		report()
	}
}

// killedForMemory reports whether the out-of-memory counter has risen since it
// was last read.
func (o *owner) killedForMemory() bool {
	if o.cfg.OOMKills == nil {
		return false
	}
	n, ok := o.cfg.OOMKills()
	rose := ok && n > o.OOMKills
	o.OOMKills = n
	return rose
}

// handle handles one event.
func (o *owner) handle(ev machine.Event) {
	effects := o.Step(ev)
	o.perform(ev, &effects)
}

// perform carries out the effects of an event, and then handles the outcome of
// a launch.
func (o *owner) perform(ev machine.Event, effects *machine.Effects) {
	launch := false
	for _, x := range effects.All() {
		switch x.Kind {
		case machine.Send:
			o.signal(x)
		case machine.CloseInput:
			if o.input != nil {
				o.input.closeWriter()
			}
		case machine.SaveStatus:
			o.statusDirty = true
		case machine.ReportKill:
			o.news(fmt.Sprintf("did not stop in time: killing pid %d", o.pid()))
		case machine.ReportImpossible:
			o.news(fmt.Sprintf("got %v while %v: a bug of svinit, without effect", ev.Kind, o.State))
		case machine.Launch:
			launch = true
		}
	}
	if launch {
		o.handle(o.launch())
	}
	o.arm(o.Deadlines.Next(), ev.Time)
}

// signal sends what the machine decided to send.
func (o *owner) signal(x machine.Effect) {
	pid := o.pid()
	if x.Group {
		pid = -pid
	}
	if err := o.cfg.Procs.Signal(pid, x.Signal()); err != nil && err != syscall.ESRCH {
		o.warn("signal", o.Source.Name, err)
	}
}
