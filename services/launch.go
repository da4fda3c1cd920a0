package services

import (
	"errors"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/program"
	"svinit/services/svlog"
)

var runArgv = []string{"./run"}

// launch starts the process and feeds the outcome to the machine.
func (s *service) launch() {
	pid, err := s.fork()
	s.publish()
	if err != nil {
		// Somebody may still be writing it.
		if !errors.Is(err, syscall.ETXTBSY) || s.failures > 0 {
			s.warn("start", s.name, program.ExplainStart(filepath.Join(s.dir, "run"), err))
		}
		s.handle(failed, input{})
		return
	}
	delete(s.warned, "start")
	s.pid, s.since = pid, time.Now()
	s.starts++
	s.handle(started, input{})
}

// fork starts ./run in the service directory, in a session of its own.
func (s *service) fork() (pid int, err error) {
	files := []uintptr{s.cfg.Stdin, 1, 2}
	if s.input != nil {
		files[0] = uintptr(s.input.r)
	}
	if s.cfg.Log != nil {
		// New pipes for each life: what the last life leaves unfinished is
		// then not continued by the next.
		if s.output == nil {
			w, err := s.cfg.Log.Pipe(svlog.Printable(s.name), svlog.Stdout)
			if err != nil {
				return 0, err
			}
			defer unix.Close(w)
			files[1] = uintptr(w)
		}
		w, err := s.cfg.Log.Pipe(svlog.Printable(s.name), svlog.Stderr)
		if err != nil {
			return 0, err
		}
		defer unix.Close(w)
		files[2] = uintptr(w)
	}
	if s.output != nil {
		files[1] = uintptr(s.output.w)
	}
	return s.cfg.Procs.Start("./run", runArgv, &syscall.ProcAttr{
		Dir:   s.dir,
		Env:   s.cfg.Env,
		Files: files,
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}, func(ws syscall.WaitStatus) { s.exits <- ws })
}
