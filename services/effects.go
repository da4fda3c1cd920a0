package services

import (
	"fmt"
	"syscall"

	"svinit/services/machine"
)

// handle handles one event.
func (o *owner) handle(ev machine.Event) {
	effects := o.Step(ev)
	o.perform(ev, &effects)
}

// handleExit handles the end of a process.
func (o *owner) handleExit(ev machine.Event) {
	lived := ev.Time.Sub(o.Since)
	expected := o.Expected(ev.Status, ev.Time)
	o.group = o.pid()
	o.PIDs[machine.RoleRun], o.Since, o.LastExit = 0, ev.Time, ev.Status
	o.Exits++
	o.dropControls()
	o.closeNotify()
	effects := o.Step(ev)
	if next := o.afterExit(&effects); !expected {
		o.pendingExitLog = func() {
			oom := ev.Status.Signaled() && ev.Status.Signal() == syscall.SIGKILL && o.killedForMemory()
			o.news(exitMessage(ev.Status, oom, lived) + "; " + next)
		}
	}
	o.perform(ev, &effects)
	if !o.launching && !o.finishing {
		o.logExit()
	}
	o.reportDown()
}

// reportDown reports to the set that the service is down and is not restarted by
// itself.
func (o *owner) reportDown() {
	if o.State == machine.StateDown {
		o.report(report{owner: o, kind: serviceDown, status: o.LastExit})
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

// perform carries out the effects of an event.
func (o *owner) perform(ev machine.Event, effects *machine.Effects) {
	for _, x := range effects.All() {
		switch x.Kind {
		case machine.Send:
			o.signal(x)
		case machine.RunControl:
			o.runControl(x.Letter)
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
		case machine.CancelLaunch:
			o.launching = false
			if o.launchJob != nil {
				o.launchJob.state.CompareAndSwap(jobWanted, jobCancelled)
			}
		case machine.ReportReady:
			o.report(report{owner: o, kind: serviceReady})
		case machine.Launch:
			o.launching = true
		case machine.LaunchFinish:
			o.finishing = true
		case machine.KillFinish:
			o.killFinish()
		case machine.ReportGiveUp:
			o.news(fmt.Sprintf("is given up: finish ended with %d; svc -u starts it again", ev.Status.ExitStatus()))
		}
	}
}
