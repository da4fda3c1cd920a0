package services

import (
	"fmt"
	"time"

	"svinit/services/machine"
	"svinit/services/spec"
)

// owner supervises one process: the service of a service directory, or its
// logger. Its goroutine (run) alone touches its fields; everybody else sends to
// the inbox. What uses the disk or forks is done by jobs (job.go), so that the
// owner itself waits for nothing that can hang.
type owner struct {
	cfg *Config
	record
	handles

	// inbox has messages of these types: a machine.Event of the set, an
	// outcome or an exit of the reaper, a spec.Source when the service directory
	// has another name, a *logPipe when a logger was added, and a jobResult. The
	// poller pokes it when there are commands.
	inbox  inbox[any]
	report func(report) // takes what the set needs to know; does not block
	slots  *slots

	asideDone chan struct{} // see aside
	diskJob   *job          // acquires, saves or closes the state directory; nil if none runs
	launchJob *job          // makes a process; nil if none runs
	launching bool          // Launch is still to be done
	finishing bool          // LaunchFinish is still to be done
	failed    []outcome     // of execve(2), to be explained
	busy      bool          // the last start failed since the program was being written
	early     []any         // what was heard of a process before its launch was applied
	group     int           // the process group of the last process of RoleRun
	controls  controls
	forked    time.Time // when the last launch began

	spec        spec.Spec
	specFresh   bool // spec was read for a start that is still to come
	acquired    bool // the service may run
	closed      bool // the end of the owner
	failures    uint // to acquire it, in a row
	acquireAt   time.Time
	abandonAt   time.Time // when a released owner no longer waits for its jobs
	statusDirty bool      // the status is to be written
	place       place

	refused int // the last process that could not be signalled

	pendingExitLog func()          // reports the last exit
	warned         map[task]string // the last reason of each warning, not to be repeated
	problems       []string        // those of the service directory that were reported and last
	pendingSearch  func()          // looks for what the last process has left
	leftNames      string          // what was reported last as left running
}

// newOwner returns an owner whose goroutine does not run yet.
func newOwner(cfg *Config, src spec.Source, s *slots, r func(report)) *owner {
	return &owner{cfg: cfg, record: record{Source: src}, inbox: newInbox[any](), slots: s, report: r, asideDone: make(chan struct{})}
}

// order sends an event that needs nothing but its kind.
func (o *owner) order(kind machine.Kind) { o.inbox.send(machine.Event{Kind: kind}) }

// run is the goroutine of the owner. It ends when the service is released.
func (o *owner) run() {
	defer func() { o.report(report{owner: o, kind: ownerEnded, runs: o.pid() != 0 && o.refused == o.pid()}) }()
	o.Since = time.Now()
	o.acquireAt = o.Since
	for !o.closed {
		// A slot is taken here, where commands can still come in between.
		var slot chan struct{}
		start := o.nextJob()
		if start != nil {
			slot = o.slots.taken
		}
		select {
		case slot <- struct{}{}:
			start(o)
		case <-o.inbox.wake:
			o.aside((*owner).receive)
		case <-o.due():
			o.aside((*owner).handleDue)
		}
		if o.State == machine.StateReleased {
			o.release()
		}
		o.armNext(time.Now())
	}
	if o.timer != nil {
		o.timer.Stop()
	}
}

// nextJob returns what starts the next job, nil if there is none to be started
// now. The status is written after what it describes was done and, when many
// services start at once, after the others had their turn to start.
func (o *owner) nextJob() func(*owner) {
	switch {
	case o.launchJob == nil && len(o.failed) > 0:
		return (*owner).startExplanation
	case o.launchJob == nil && o.finishing:
		return (*owner).startFinish
	case o.controls.current != nil && !o.controls.runs:
		return (*owner).startControl
	case o.launchJob == nil && o.launching:
		return (*owner).startLaunch
	case o.diskJob != nil:
	case o.State == machine.StateReleased:
		if o.state != nil {
			return (*owner).startClose
		}
	case !o.acquired && !o.acquireAt.IsZero() && !o.acquireAt.After(time.Now()):
		return (*owner).startAcquisition
	case o.acquired && (o.statusDirty || o.place.doubted) && !o.Unsettled():
		return (*owner).startSave
	}
	return nil
}

// release cancels what is still to be done for a service that is released, and
// bounds how long the end of its jobs is waited for.
func (o *owner) release() {
	o.closeNotify()
	o.launching, o.finishing, o.failed = false, false, nil
	if o.launchJob != nil {
		o.launchJob.state.CompareAndSwap(jobWanted, jobCancelled)
	}
	if o.abandonAt.IsZero() {
		o.abandonAt = time.Now().Add(lendAfter)
		if n := o.unread(); n > 0 && o.ReleaseWhenDown && o.Draining {
			o.aside(func(o *owner) { o.news(fmt.Sprintf("ended, and %d bytes are left that it has not read", n)) })
		}
	}
	if o.diskJob == nil && o.launchJob == nil && o.state == nil {
		o.closed = true
	}
}

// receive handles the messages and commands that have come.
func (o *owner) receive() {
	for _, content := range o.inbox.take() {
		switch m := content.(type) {
		case spec.Source:
			o.Source = m
			o.place.doubted = true
		case *logPipe:
			o.output = m
		case jobResult:
			m()
		default:
			o.handleMessage(m)
		}
	}
	if o.notify > 0 && o.State != machine.StateReleased {
		o.readNotify()
	}
	if o.state != nil && o.State != machine.StateReleased {
		o.readCommands()
	}
	if j := o.launchJob; j != nil && j.slot.Load() == lentSlot {
		o.passDeadlines(time.Now())
	}
}

// handleMessage handles an event, or what was heard of a process.
func (o *owner) handleMessage(content any) {
	if o.State == machine.StateReleased {
		return
	}
	switch m := content.(type) {
	case outcome:
		if o.isEarly(m.launch.role) {
			o.early = append(o.early, m)
		} else {
			o.handleOutcome(m)
		}
	case exit:
		if o.isEarly(m.role) {
			o.early = append(o.early, m)
		} else {
			o.handleExitOf(m)
		}
	case machine.Event:
		m.Time, m.Unread = time.Now(), o.unread()
		o.handle(m)
		if m.Kind == machine.Changed {
			o.place.doubted = true
			if !o.acquired {
				o.acquireAt = m.Time
			}
		}
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
			ev.Time, ev.Letter = time.Now(), c
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
	o.passDeadlines(time.Now())
}

// passDeadlines handles the deadlines that have passed.
func (o *owner) passDeadlines(now time.Time) {
	for o.State != machine.StateReleased {
		ev, ok := o.Deadlines.Due(now)
		if !ok {
			break
		}
		o.handle(ev)
		if ev.Kind == machine.ExecSlow {
			o.logExit()
		}
	}
	if due := o.controls.due; !due.IsZero() && !due.After(now) {
		o.killControl()
	}
	if at := o.place.retryAt; !at.IsZero() && !at.After(now) {
		o.place.retryAt, o.statusDirty = time.Time{}, true
	}
	if !o.abandonAt.IsZero() && !o.abandonAt.After(now) {
		for _, j := range []*job{o.diskJob, o.launchJob} {
			if j != nil {
				j.state.Store(jobAbandoned)
			}
		}
		o.closed = true
	}
}

// armNext sets the timer to the next time at which the owner has to do
// something by itself.
func (o *owner) armNext(now time.Time) {
	var next time.Time
	if !o.launching && o.launchJob == nil { // else there is nothing due, or soon more
		next = o.Deadlines.Next()
	}
	if !o.acquired && o.diskJob == nil {
		next = sooner(next, o.acquireAt)
	}
	if o.acquired && o.diskJob == nil {
		next = sooner(next, o.place.retryAt)
	}
	o.arm(sooner(sooner(next, o.controls.due), o.abandonAt), now)
}

// sooner returns the earlier of two times, of which a zero one does not count.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
