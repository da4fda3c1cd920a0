package services

import (
	"errors"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"svinit/reaper/procattr"
	"svinit/services/machine"
	"svinit/services/program"
	"svinit/services/spec"
	"svinit/services/svlog"
)

// launch is what a job needs that makes a process, and its result.
type launch struct {
	cfg           *Config
	role          machine.Role
	path          string // of the program, relative to the service directory
	args          []string
	source        spec.Source
	spec          spec.Spec
	fresh         bool // the spec need not be read
	input, output *logPipe
	inbox         *inbox[any]

	problems []spec.Problem
	unset    []spec.Problem // what the process runs without, once its execve(2) has an outcome
	pid      int
	notify   int   // the read end of the pipe for notification-fd, -1 without one
	err      error // what is wrong and what to do; nil where the job was cancelled
}

// newLaunch returns a launch of an executable of the service directory.
func (o *owner) newLaunch(role machine.Role, path string, args []string) *launch {
	l := &launch{notify: -1, cfg: o.cfg, role: role, path: path, args: args, source: o.Source, spec: o.spec, fresh: true, output: o.output, inbox: &o.inbox}
	if role == machine.RoleRun {
		l.input = o.input
	}
	return l
}

// quickExec is how long a launch waits for the outcome of execve(2). It usually
// takes 0.2 ms, and the status can be written then.
const quickExec = time.Millisecond

// startLaunch starts the job that makes the process of RoleRun. The machine
// hears of Started or StartFailed when it is done.
func (o *owner) startLaunch() {
	l := o.newLaunch(machine.RoleRun, "", nil)
	l.fresh = o.specFresh
	o.launching, o.specFresh = false, false
	o.forked = time.Now()
	o.launchJob = o.startJob(func(j *job) jobResult {
		l.start(j)
		return func() { o.launched(j, l) }
	})
}

// launched applies the result of startLaunch.
func (o *owner) launched(j *job, l *launch) {
	o.launchJob = nil
	o.spec = l.spec
	o.logExit()
	if !l.fresh {
		o.warnAbout(l.problems)
	}
	now := time.Now()
	switch {
	case o.State == machine.StateReleased:
		if l.pid != 0 {
			o.cfg.Procs.Signal(l.pid, syscall.SIGKILL)
		}
		l.closeNotify()
	case l.pid != 0:
		o.watchNotify(l.notify)
		o.launching = false
		o.Stop, o.Finish = l.spec.Stop, l.spec.Finish
		o.PIDs[machine.RoleRun], o.Since = l.pid, now
		o.handle(machine.Started.At(now))
		o.handleEarly()
	case j.state.Load() == jobWanted:
		o.startFailed(l.err, now)
	}
}

// start makes the process.
func (l *launch) start(j *job) {
	if !l.fresh {
		l.spec, l.problems = spec.Load(l.source)
	}
	if x := l.spec.Exec; x != nil && x.Invalid != nil {
		l.err = x.Invalid
		return
	}
	if l.role == machine.RoleRun {
		l.path, l.args = l.spec.Path, l.spec.Args
		for _, p := range l.problems {
			if p.Fatal {
				l.err = p.Err
				return
			}
		}
	}
	if j.state.Load() != jobWanted {
		return
	}
	var err error
	if l.pid, err = l.fork(); err != nil {
		l.closeNotify()
		l.pid, l.err = 0, l.explain(err)
		return
	}
	l.cfg.Procs.AwaitExec(l.pid, quickExec)
	if j.state.Load() == jobAbandoned {
		l.cfg.Procs.Signal(-l.pid, syscall.SIGKILL)
	}
}

// explain says what an error of clone(2) or execve(2) is about.
func (l *launch) explain(err error) error {
	path := filepath.Join(l.spec.Dir, l.path)
	if x := l.spec.Exec; x != nil {
		if why := explainExec(x, l.spec.Dir, path, err); why != nil {
			return why
		}
	}
	return program.ExplainStart(path, err)
}

// fork executes the program in a session of its own.
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
	if n := l.spec.Notify; n != 0 && l.role == machine.RoleRun {
		w, err := l.openNotify()
		if err != nil {
			return 0, err
		}
		defer unix.Close(w)
		for len(files) < n {
			files = append(files, noFile)
		}
		files = append(files, uintptr(w))
	}
	for _, fd := range files {
		if fd != noFile {
			svlog.ResetFlags(int(fd))
		}
	}
	return l.execute(files)
}

// execute makes the process with these descriptors. They need not stay open.
func (l *launch) execute(files []uintptr) (pid int, err error) {
	path, args := l.path, l.args
	attr := &syscall.ProcAttr{
		Dir:   l.spec.Dir,
		Env:   l.cfg.Env,
		Files: files,
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}
	var extra *procattr.Extra
	if l.spec.Exec != nil {
		extra = l.change(attr)
		path, args = l.absolute()
	}
	inbox, role := l.inbox, l.role
	return l.cfg.Procs.Start(path, args, attr, extra, func(err error) {
		inbox.send(outcome{l, err})
	}, func(ws syscall.WaitStatus) {
		inbox.send(exit{role, ws})
	})
}

// outcome is what came of the execve(2) of a launch.
type outcome struct {
	launch *launch
	err    error
}

// exit is the end of a process.
type exit struct {
	role   machine.Role
	status syscall.WaitStatus
}

// handleEarly handles what was heard of a process before its launch was applied.
func (o *owner) handleEarly() {
	early := o.early
	o.early = nil
	for _, content := range early {
		o.handleMessage(content)
	}
}

// isEarly reports whether the process of a role is quicker than the job that
// makes it: its launch has not been applied yet.
func (o *owner) isEarly(role machine.Role) bool {
	if role == machine.RoleControl {
		return o.controls.job != nil
	}
	return o.launchJob != nil && o.PIDs[role] == 0
}

// handleOutcome handles the outcome of a launch.
func (o *owner) handleOutcome(x outcome) {
	switch {
	case x.err != nil:
		o.PIDs[x.launch.role] = 0
		o.failed = append(o.failed, x)
	case x.launch.role == machine.RoleRun:
		o.clearWarning("start")
		o.busy = false
		o.warnUnset(x.launch.unset)
		o.Starts++
		if !o.Notifies { // it is ready as soon as it is up
			o.report(report{owner: o, kind: serviceReady})
		}
		o.handle(machine.Executed.At(time.Now()))
	}
}

// handleExitOf handles the end of a process.
func (o *owner) handleExitOf(x exit) {
	ev := machine.Event{Kind: machine.Exited, Time: time.Now(), Status: x.status, Unread: o.unread()}
	switch x.role {
	case machine.RoleRun:
		o.handleExit(ev)
	case machine.RoleFinish:
		ev.Kind = machine.Finished
		o.PIDs[x.role], o.Since = 0, ev.Time
		o.handle(ev)
		o.reportEnd()
	case machine.RoleControl:
		o.controlEnded(x.status == 0)
	}
}

// startExplanation starts the job that looks at why an execve(2) has failed.
func (o *owner) startExplanation() {
	x := o.failed[0]
	o.failed = o.failed[1:]
	o.launchJob = o.startJob(func(*job) jobResult {
		err := x.launch.explain(x.err)
		return func() {
			o.launchJob = nil
			o.explained(x.launch, err)
		}
	})
}

// explained goes on after an execve(2) that has failed.
func (o *owner) explained(l *launch, err error) {
	switch {
	case o.State == machine.StateReleased:
	case l.role == machine.RoleRun:
		o.startFailed(err, time.Now())
	case l.role == machine.RoleFinish:
		o.finishFailed(err)
	default:
		o.warn("run", l.path, err)
		o.controlEnded(false)
	}
}

// startFailed reports that the service could not be started.
func (o *owner) startFailed(err error, now time.Time) {
	// ETXTBSY: run may still be being written. That it is so again and again is
	// worth a line.
	if busy := errors.Is(err, syscall.ETXTBSY); busy && !o.busy {
		o.busy = true
	} else {
		o.busy = busy
		o.warn("start", o.Source.Name, err)
	}
	o.Since = now
	o.handle(machine.StartFailed.At(now))
}
