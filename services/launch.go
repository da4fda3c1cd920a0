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

// launch starts the service and returns what came of it: Started or
// StartFailed.
func (o *owner) launch() machine.Event {
	pid, err := o.start()
	o.logExit()
	now := time.Now()
	if err != nil {
		// ETXTBSY: run may still be being written.
		if !errors.Is(err, syscall.ETXTBSY) || o.Failures > 0 {
			o.warn("start", o.Source.Name, err)
		}
		return machine.StartFailed.At(now)
	}
	delete(o.warned, "start")
	o.PIDs[machine.RoleRun], o.Since = pid, now
	o.Starts++
	o.report(report{owner: o, kind: serviceReady})
	return machine.Started.At(now)
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
		err = program.ExplainStart(filepath.Join(o.spec.Dir, o.spec.Path), err)
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
	}, o.onExit(machine.RoleRun))
}

// onExit returns what the reaper calls when the process of a role has ended.
func (o *owner) onExit(role machine.Role) func(syscall.WaitStatus) {
	return func(ws syscall.WaitStatus) {
		o.inbox.send(machine.Event{Kind: machine.Exited, Role: role, Status: ws})
	}
}
