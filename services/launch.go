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

// launch makes the process of the service and returns what came of that:
// Started, after which the outcome of its execve(2) comes through the inbox, or
// StartFailed.
func (o *owner) launch() machine.Event {
	pid, err := o.start()
	o.logExit()
	now := time.Now()
	if err != nil {
		o.warnStart(err)
		return machine.StartFailed.At(now)
	}
	o.PIDs[machine.RoleRun], o.Since = pid, now
	// Usually the outcome is known within 0.2 ms. It is awaited, so that the
	// status soon says that the service is up, unless others wait for the slot.
	patience := quickExec
	if len(o.slots) > 1 {
		patience = 0
	}
	o.cfg.Procs.AwaitExec(pid, patience)
	return machine.Started.At(now)
}

// quickExec is how long an owner waits for an execve(2).
const quickExec = time.Millisecond

// outcome is what came of the execve(2) of the process that was started last.
type outcome struct{ err error }

// handleOutcome handles the outcome of a start.
func (o *owner) handleOutcome(x outcome) {
	now := time.Now()
	if x.err != nil {
		o.warnStart(o.explain(x.err))
		o.PIDs[machine.RoleRun], o.Since = 0, now
		o.handle(machine.StartFailed.At(now))
		return
	}
	delete(o.warned, "start")
	o.Starts++
	o.report(report{owner: o, kind: serviceReady})
	o.handle(machine.Executed.At(now))
}

// warnStart reports that the service could not be started.
func (o *owner) warnStart(err error) {
	// ETXTBSY: run may still be being written.
	if !errors.Is(err, syscall.ETXTBSY) || o.Failures > 0 {
		o.warn("start", o.Source.Name, err)
	}
}

// explain says what an error of fork(2) or execve(2) is about.
func (o *owner) explain(err error) error {
	return program.ExplainStart(filepath.Join(o.spec.Dir, o.spec.Path), err)
}

// start starts the process of RoleRun. Its error says what is wrong and what
// to do.
func (o *owner) start() (pid int, err error) {
	var problems []spec.Problem
	if !o.specFresh {
		problems = o.load()
	}
	o.specFresh = false
	for _, p := range problems {
		if p.Fatal {
			return 0, p.Err
		}
	}
	if pid, err = o.fork(); err != nil {
		err = o.explain(err)
	}
	return pid, err
}

// fork executes the program in the service directory, in a session of its own.
func (o *owner) fork() (pid int, err error) {
	files := []uintptr{o.cfg.Stdin, 1, 2}
	if o.input != nil {
		files[0] = uintptr(o.input.r)
	}
	if o.cfg.Log != nil {
		// Each process gets new pipes, so that a line that one leaves unfinished
		// is not continued by the next.
		if o.output == nil {
			w, err := o.cfg.Log.Pipe(svlog.Printable(o.Source.Name), svlog.Stdout)
			if err != nil {
				return 0, err
			}
			defer unix.Close(w)
			files[1] = uintptr(w)
		}
		w, err := o.cfg.Log.Pipe(svlog.Printable(o.Source.Name), svlog.Stderr)
		if err != nil {
			return 0, err
		}
		defer unix.Close(w)
		files[2] = uintptr(w)
	}
	if o.output != nil {
		files[1] = uintptr(o.output.w)
	}
	return o.cfg.Procs.Start(o.spec.Path, o.spec.Args, &syscall.ProcAttr{
		Dir:   o.spec.Dir,
		Env:   o.cfg.Env,
		Files: files,
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}, func(err error) { o.inbox.send(outcome{err}) }, o.onExit(machine.RoleRun))
}

// onExit returns what the reaper calls when the process of a role has ended.
func (o *owner) onExit(role machine.Role) func(syscall.WaitStatus) {
	return func(ws syscall.WaitStatus) {
		o.inbox.send(machine.Event{Kind: machine.Exited, Role: role, Status: ws})
	}
}
