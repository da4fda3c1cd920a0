package pid1

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/services/program"
	"svinit/services/svlog"
)

// startMain starts the main program with our own standard streams, in the
// foreground of our terminal where there is one. It is looked for and executed
// as execvp(3) does: where something cannot be executed the search goes on, and
// a file that is no program is a script of sh's. The error comes with the exit
// code that a shell has for it.
func (s *system) startMain(command []string) (code int, err error) {
	s.tty = findTerminal()
	sys := &syscall.SysProcAttr{}
	switch tty := s.tty; {
	case s.alone != nil && s.alone.Within:
	case bool(s.conf.Setsid), s.leadsTerminal():
		sys.Setsid = true
		if s.releaseTerminal() {
			sys.Setctty, sys.Ctty, s.apart = true, tty, true
		}
	default:
		sys.Setpgid = true
		if s.inForeground() {
			sys.Foreground, sys.Ctty = true, tty
		}
	}
	attr := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: sys}
	// What else we were given is inherited, which ForkExec's own list of
	// descriptors cannot have at the highest numbers there are.
	s.eachInherited(func(fd int) { unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0) })
	defer func() {
		s.eachInherited(unix.CloseOnExec)
		if err != nil && sys.Foreground {
			s.setForeground(unix.Getpgrp())
		}
	}()
	start := func(path string, argv []string) error {
		s.main, err = s.procs.Start(path, argv, attr, func(ws syscall.WaitStatus) { s.mainEnded <- ws })
		return err
	}
	if listenPID() {
		// Its pid is known only to itself.
		if start("/proc/self/exe", append([]string{ListenShim}, command...)) == nil {
			return 0, nil
		}
	}
	return search(command, start)
}

// search executes a program as execvp(3) does: start is execve(2), or a fork
// and execve(2). The code is the exit code that a shell has for the error.
func search(command []string, start func(path string, argv []string) error) (code int, err error) {
	err = program.Execvp(command, start)
	var failed *program.Error
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &failed) && failed.NotFound:
		return exitNotFound, err
	}
	return exitNotExec, err
}

// forward passes a signal on to the main program.
func (s *system) forward(sig syscall.Signal) {
	if to, err := s.pass(sig); err != nil && err != syscall.ESRCH {
		s.report(svlog.Unable("pass on", signalName(to), err))
	}
}

// pass sends the main program what a signal is to be for it, and returns that:
// 0 for nothing.
func (s *system) pass(sig syscall.Signal) (to syscall.Signal, err error) {
	if s.asJob && sig == syscall.SIGCONT {
		return sig, s.continued()
	}
	to = sig
	if t, ok := s.conf.Signals[sig]; ok {
		if to = t; to == 0 {
			return 0, nil
		}
	}
	pid := s.main
	if s.conf.Group {
		pid = -pid
	}
	return to, s.procs.Signal(pid, to)
}

// signalName is a signal's name, or its number where it has none.
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return "signal " + strconv.Itoa(int(sig))
}
