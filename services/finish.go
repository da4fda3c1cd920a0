package services

import (
	"strconv"
	"syscall"
	"time"

	"svinit/services/machine"
)

// startFinish starts the job that runs finish, with the arguments of s6: the
// exit code of run, 256 where a signal ended it; that signal, or 0; the name of
// the service; the process group that run had.
func (o *owner) startFinish() {
	code, sig := o.LastExit.ExitStatus(), 0
	if o.LastExit.Signaled() {
		code, sig = 256, int(o.LastExit.Signal())
		if o.Finish.Runit {
			code = -1
		}
	}
	l := o.newLaunch(machine.RoleFinish, "./finish",
		[]string{"./finish", strconv.Itoa(code), strconv.Itoa(sig), o.Source.Name, strconv.Itoa(o.group)})
	o.finishing = false
	o.launchJob = o.startJob(func(j *job) jobResult {
		l.start(j)
		return func() { o.finishLaunched(l) }
	})
}

// finishLaunched applies the result of startFinish.
func (o *owner) finishLaunched(l *launch) {
	o.launchJob = nil
	o.logExit()
	switch {
	case o.State != machine.StateFinishing: // killFinish has not waited for it
		if l.pid != 0 {
			o.cfg.Procs.Signal(-l.pid, syscall.SIGKILL)
		}
	case l.pid == 0:
		o.finishFailed(l.err)
	default:
		o.PIDs[machine.RoleFinish], o.Since = l.pid, time.Now()
		o.statusDirty = true
		o.handleEarly()
	}
}

// finishFailed goes on as if finish had ended. err is nil where that is not
// worth a line.
func (o *owner) finishFailed(err error) {
	if err != nil {
		o.warn("run finish of", o.Source.Name, err)
	}
	o.PIDs[machine.RoleFinish] = 0
	o.handle(o.event(machine.FinishFailed))
	o.reportEnd()
}

// killFinish ends finish, or the attempt to start it.
func (o *owner) killFinish() {
	if pid := o.PIDs[machine.RoleFinish]; pid != 0 {
		o.news("killing its finish, which has not ended in time")
		o.cfg.Procs.Signal(-pid, syscall.SIGKILL)
		return
	}
	o.finishing = false
	if o.launchJob != nil {
		o.launchJob.state.CompareAndSwap(jobWanted, jobCancelled)
	}
	o.finishFailed(nil)
}

// event returns an event that has just happened.
func (o *owner) event(kind machine.Kind) machine.Event {
	return machine.Event{Kind: kind, Time: time.Now(), Unread: o.unread()}
}
