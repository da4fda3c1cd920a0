package services

import (
	"errors"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/machine"
	"svinit/services/program"
	"svinit/services/spec"
	"svinit/services/svlog"
)

// launch is what a launch job needs, and its result.
type launch struct {
	cfg           *Config
	spec          spec.Spec
	fresh         bool // the spec was just read
	source        spec.Source
	input, output *logPipe
	inbox         *inbox[any]

	problems []spec.Problem
	pid      int
	err      error // what is wrong and what to do
}

// quickExec is how long a launch waits for the outcome of execve(2). It usually
// takes 0.2 ms, and the status can be written then.
const quickExec = time.Millisecond

// startLaunch starts the job that makes the process of RoleRun. The machine
// hears of Started or StartFailed when it is done.
func (o *owner) startLaunch() {
	l := &launch{cfg: o.cfg, spec: o.spec, fresh: o.specFresh, source: o.Source, input: o.input, output: o.output, inbox: &o.inbox}
	o.launching, o.specFresh = false, false
	o.launchJob = o.startJob(func(j *job) jobResult {
		l.start(j)
		return func() { o.launched(j, l) }
	})
}

// launched applies the result of a launch job.
func (o *owner) launched(j *job, l *launch) {
	o.launchJob = nil
	o.spec = l.spec
	o.logExit()
	o.warnAbout(l.problems)
	now := time.Now()
	switch {
	case o.State == machine.StateReleased:
		if l.pid != 0 {
			o.cfg.Procs.Signal(l.pid, syscall.SIGKILL)
		}
	case l.pid != 0:
		o.launching = false
		o.PIDs[machine.RoleRun], o.Since = l.pid, now
		o.handle(machine.Started.At(now))
		early := o.early
		o.early = nil
		for _, content := range early {
			o.handleMessage(content)
		}
	case j.state.Load() == jobWanted:
		o.startFailed(l.err, now)
	}
}

// start makes the process.
func (l *launch) start(j *job) {
	if !l.fresh {
		l.spec, l.problems = spec.Load(l.source)
	}
	for _, p := range l.problems {
		if p.Fatal {
			l.err = p.Err
			return
		}
	}
	if j.state.Load() != jobWanted {
		return
	}
	var err error
	if l.pid, err = l.fork(); err != nil {
		l.pid, l.err = 0, explain(l.spec, err)
		return
	}
	l.cfg.Procs.AwaitExec(l.pid, quickExec)
	if j.state.Load() == jobAbandoned {
		l.cfg.Procs.Signal(l.pid, syscall.SIGKILL)
	}
}

// fork executes the program in the service directory, in a session of its own.
func (l *launch) fork() (pid int, err error) {
	files := []uintptr{l.cfg.Stdin, 1, 2}
	if l.input != nil {
		files[0] = uintptr(l.input.r)
	}
	if l.cfg.Log != nil {
		// Each process gets new pipes, so that a line that one leaves unfinished
		// is not continued by the next.
		if l.output == nil {
			w, err := l.cfg.Log.Pipe(svlog.Printable(l.source.Name), svlog.Stdout)
			if err != nil {
				return 0, err
			}
			defer unix.Close(w)
			files[1] = uintptr(w)
		}
		w, err := l.cfg.Log.Pipe(svlog.Printable(l.source.Name), svlog.Stderr)
		if err != nil {
			return 0, err
		}
		defer unix.Close(w)
		files[2] = uintptr(w)
	}
	if l.output != nil {
		files[1] = uintptr(l.output.w)
	}
	for _, fd := range files {
		svlog.ResetFlags(int(fd))
	}
	inbox := l.inbox
	return l.cfg.Procs.Start(l.spec.Path, l.spec.Args, &syscall.ProcAttr{
		Dir:   l.spec.Dir,
		Env:   l.cfg.Env,
		Files: files,
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}, func(err error) {
		inbox.send(outcome{err})
	}, func(ws syscall.WaitStatus) {
		inbox.send(machine.Event{Kind: machine.Exited, Role: machine.RoleRun, Status: ws})
	})
}

// outcome is what came of the execve(2) of the process that was started last.
type outcome struct{ err error }

// handleOutcome handles the outcome of a start.
func (o *owner) handleOutcome(x outcome) {
	if x.err != nil {
		o.PIDs[machine.RoleRun] = 0
		o.execError = x.err
		return
	}
	delete(o.warned, "start")
	o.Starts++
	o.report(report{owner: o, kind: serviceReady})
	o.handle(machine.Executed.At(time.Now()))
}

// startExplanation starts the job that looks at why an execve(2) has failed.
func (o *owner) startExplanation() {
	err, s := o.execError, o.spec
	o.execError = nil
	o.launchJob = o.startJob(func(*job) jobResult {
		err := explain(s, err)
		return func() {
			o.launchJob = nil
			if o.State != machine.StateReleased {
				o.startFailed(err, time.Now())
			}
		}
	})
}

// explain says what an error of clone(2) or execve(2) is about.
func explain(s spec.Spec, err error) error {
	return program.ExplainStart(filepath.Join(s.Dir, s.Path), err)
}

// startFailed reports that the service could not be started.
func (o *owner) startFailed(err error, now time.Time) {
	// ETXTBSY: run may still be being written.
	if !errors.Is(err, syscall.ETXTBSY) || o.Failures > 0 {
		o.warn("start", o.Source.Name, err)
	}
	o.Since = now
	o.handle(machine.StartFailed.At(now))
}

// warnAbout reports the problems of a service directory that do not prevent its
// start.
func (o *owner) warnAbout(problems []spec.Problem) {
	for _, p := range problems {
		if !p.Fatal {
			o.warn(p.Verb, p.File, p.Err)
		}
	}
}
