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
	next := o.afterExit(&effects)
	if !expected {
		o.pendingExitLog = func() {
			oom := ev.Status.Signaled() && ev.Status.Signal() == syscall.SIGKILL && o.killedForMemory()
			o.news(exitMessage(ev.Status, oom, lived) + "; " + next)
		}
	}
	o.pendingSearch = o.searchForLeft(ev.Status)
	o.perform(ev, &effects)
	o.reportEnd()
}

// reportEnd reports the end of run or of its finish. The set hears of it when the
// service is down and is not restarted by itself.
func (o *owner) reportEnd() {
	if !o.launching && !o.finishing {
		o.logExit()
	}
	if o.State == machine.StateDown {
		o.report(report{owner: o, kind: serviceDown, status: o.LastExit})
	}
}

// logExit reports the last exit, and has somebody look for what the process has
// left. That waits until the next process is started, so as not to delay it, and
// the search until finish, which may stop what was left, has ended.
func (o *owner) logExit() {
	if report := o.pendingExitLog; report != nil {
		o.pendingExitLog = nil
		report()
	}
	if search := o.pendingSearch; search != nil && o.State != machine.StateFinishing {
		o.pendingSearch = nil
		if !o.cfg.stopping.Load() {
			go search()
		}
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
			if o.refused == o.pid() {
				break // it was not killed
			}
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
