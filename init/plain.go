package pid1

import (
	"runtime"
	"syscall"

	"svinit/init/foreground"
	"svinit/services/program"
	"svinit/services/signame"
	"svinit/services/svlog"
)

// plainInit is svinit with a main program and without services: a plain init
// that is configured by the environment, and that stops what the main program
// has left running.
type plainInit struct {
	*foreground.Init
	conf     Config
	report   svlog.Reporter
	lastStop order
	oom      oomCounter
}

// options returns the options of package foreground.
func (p *plainInit) options(command []string) foreground.Options {
	return foreground.Options{
		Command:     command,
		StopSignals: stopSignals,
		Session:     bool(p.conf.Setsid),
		Group:       bool(p.conf.Group),
		Signals:     p.conf.Signals,
		ParentDeath: syscall.Signal(p.conf.ParentDeath),
		ExitCodes:   p.conf.ExitCodes,
		Unstoppable: stopSignals,
		OnEvent:     p.onEvent,
		Report:      p.report,
	}
}

// run runs the main program and returns its exit code. The error says why it
// was not even tried.
func (p *plainInit) run(o foreground.Options) (code int, err error) {
	runtime.UnlockOSThread() // see package main: nothing here hangs in a file system
	if err := p.Prepare(o, foreground.PlainThreads); err != nil {
		return program.ExitTemporary, err
	}
	if code, err := p.start(o.Command); err != nil {
		return code, nil
	}
	if exited, childrenLeft := p.ExitedEarly(); exited && (!childrenLeft || bool(p.conf.LeaveOrphans)) {
		return p.Wait(), nil
	}
	p.oom.start()
	p.Begin(foreground.PlainThreads)
	code = p.Wait()
	p.stop(p.phases())
	return code, nil
}

// start starts the main program, and reports it when that fails.
func (p *plainInit) start(command []string) (code int, err error) {
	if code, err = p.Start(); err != nil {
		p.report(svlog.Unable("run", command[0], err).At(svlog.Fatal))
	}
	return code, err
}

// onEvent is what svinit does beside passing signals on.
func (p *plainInit) onEvent(e foreground.Event) {
	switch e.Kind {
	case foreground.Received:
		if stops(e.Signal) || stops(p.conf.Signals.Translate(e.Signal)) {
			p.lastStop.again(e.PID, p.stopTimeout())
		}
	case foreground.NotForwarded:
		if e.Err != syscall.ESRCH {
			p.report(svlog.Unable("pass on signal "+signame.Name(e.Signal)+" to", "the main program ("+p.Reaper.Describe(e.PID)+")", e.Err))
		}
	case foreground.Ended:
		if e.Status.Signaled() && e.Status.Signal() == syscall.SIGKILL && p.oom.increased() {
			p.report(svlog.Event{Text: "the main program died: killed by signal KILL (out of memory)"})
		}
	}
}
