package services

import (
	"slices"
	"strings"
	"syscall"
	"time"

	"svinit/services/machine"
)

// Executables in the directory control, as runsv(8) has them: before a command
// sends its signal, control/LETTER is run, and where it exits with 0 the signal
// is not sent. On the command d, and where the set stops the service, that is
// control/t, and control/d follows.
//
// Signals that are to be sent meanwhile wait, in their order, all but KILL.
// Everything else goes on: a control that hangs keeps nobody waiting but the
// signal that it stands for, and is killed after controlTimeout.
const controlTimeout = 5 * time.Second

// controlled is a signal that waits for its control, or behind another one.
type controlled struct {
	script byte // LETTER of the control that is to be run before; 0 for none
	send   machine.Effect
	only   bool // there is no signal: the control is run for itself
}

// controls is the signals of one service that wait.
type controls struct {
	waiting []controlled
	current *controlled // whose control is to be run, or runs
	runs    bool        // it has been started
	job     *job        // makes its process
	due     time.Time   // when it is killed
}

// signal sends what the machine decided to send, after its control.
func (o *owner) signal(x machine.Effect) {
	if x.Signal() == syscall.SIGKILL || o.controls.current == nil && !o.hasControl(x.Letter) {
		o.kill(x)
		return
	}
	o.controls.waiting = append(o.controls.waiting, controlled{script: x.Letter, send: x})
	o.nextControl()
}

// runControl runs a control that stands for no signal.
func (o *owner) runControl(letter byte) {
	if o.hasControl(letter) {
		o.controls.waiting = append(o.controls.waiting, controlled{script: letter, only: true})
		o.nextControl()
	}
}

func (o *owner) hasControl(letter byte) bool {
	return letter != 0 && strings.IndexByte(o.spec.Control, letter) >= 0
}

// nextControl sends the signals that wait, up to the next control.
func (o *owner) nextControl() {
	c := &o.controls
	for len(c.waiting) > 0 && c.current == nil {
		first := c.waiting[0]
		c.waiting = c.waiting[1:]
		if o.hasControl(first.script) {
			c.current = &first // nextJob starts its control
		} else if !first.only {
			o.kill(first.send)
		}
	}
}

// startControl starts the job that runs a control.
func (o *owner) startControl() {
	path := "./control/" + string(o.controls.current.script)
	o.controls.runs, o.controls.due = true, time.Now().Add(controlTimeout)
	l := o.newLaunch(machine.RoleControl, path, []string{path})
	o.controls.job = o.startJob(func(j *job) jobResult {
		l.start(j)
		return func() { o.controlLaunched(l) }
	})
}

// controlLaunched applies the result of startControl.
func (o *owner) controlLaunched(l *launch) {
	o.controls.job = nil
	if l.pid == 0 {
		o.warn("run", l.path, l.err)
		o.controlEnded(false)
		return
	}
	o.PIDs[machine.RoleControl] = l.pid
	o.handleEarly()
}

// controlEnded goes on after a control. With handled it has dealt with the
// command itself, so that the signal is not sent.
func (o *owner) controlEnded(handled bool) {
	c := &o.controls
	o.PIDs[machine.RoleControl], c.runs, c.due = 0, false, time.Time{}
	if was := c.current; was != nil {
		c.current = nil
		if !handled && !was.only {
			o.kill(was.send)
		}
	}
	o.nextControl()
}

// dropControls forgets the signals that wait, since the process has ended.
// Controls that stand for no signal are run all the same.
func (o *owner) dropControls() {
	o.controls.waiting = slices.DeleteFunc(o.controls.waiting, func(c controlled) bool { return !c.only })
	if c := o.controls.current; c != nil {
		c.only = true
	}
}

// killControl ends a control that takes too long.
func (o *owner) killControl() {
	o.controls.due = time.Time{}
	if pid := o.PIDs[machine.RoleControl]; pid != 0 {
		o.news("killing its control, which has not ended after " + controlTimeout.String())
		o.cfg.Procs.Signal(-pid, syscall.SIGKILL)
	}
}

// kill sends a signal of the machine.
func (o *owner) kill(x machine.Effect) {
	pid := o.pid()
	if pid == 0 {
		return
	}
	if x.Group {
		pid = -pid
	}
	err := o.cfg.Procs.Signal(pid, x.Signal())
	if err == nil || err == syscall.ESRCH {
		return
	}
	o.warn("signal", o.Source.Name+" ("+o.cfg.Procs.Describe(o.pid())+")", err)
	o.refused = o.pid()
	ev := machine.Event{Kind: machine.Refused, Signal: x.Signal()}
	if o.cfg.stopping.Load() {
		ev.Kind = machine.Unstoppable
	}
	o.inbox.send(jobResult(func() {
		if o.refused == o.pid() && o.State != machine.StateReleased {
			ev.Time = time.Now()
			o.handle(ev)
		}
	}))
}
