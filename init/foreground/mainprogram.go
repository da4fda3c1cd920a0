package foreground

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"svinit/reaper/inherit"
	"svinit/reaper/spawn"
	"svinit/services/program"
)

// Start starts the main program, if the options have one, and watches our
// parent, if they say so. Where the main program cannot be started the error
// has the errno of execvp(3) in it, and code is the exit code that a shell has
// for that.
func (i *Init) Start() (code int, err error) {
	i.watchParent()
	if len(i.options.Command) == 0 {
		return 0, nil
	}
	if code, err = i.startProgram(); err == nil {
		i.emit(Event{Kind: Started, PID: i.job.pid})
	}
	return code, err
}

// startProgram starts the main program with our own standard streams and
// inherited descriptors. It is found and executed as execvp(3) does: where a
// file cannot be executed the search goes on, and a file of no known format is
// a script of the shell's.
func (i *Init) startProgram() (code int, err error) {
	i.terminal = findTerminal()
	sys := i.attributes()
	attr := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: sys}
	// ForkExec's own list of descriptors would have to reach up to the highest
	// number that is open, so the others are inherited by their flag.
	i.inherited.each(func(fd int) { unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0) })
	from := i.inheritance()
	if from.Directory != 0 {
		defer unix.Close(from.Directory)
	}
	defer func() {
		i.inherited.each(unix.CloseOnExec)
		if err != nil && sys.Foreground {
			i.terminal.setForeground(unix.Getpgrp())
		}
	}()
	start := func(path string, argv []string) error { return i.execute(path, argv, attr, from) }
	if haveListenPID() {
		// Only the process itself knows its pid before it is executed.
		if start("/proc/self/exe", append([]string{ListenShim}, i.options.Command...)) == nil {
			return 0, nil
		}
	}
	return search(i.options.Command, start)
}

// slowExec is how long the execve(2) of the main program is waited for, so that
// the search can go on where it fails. One that takes longer hangs: signals must
// be obeyed meanwhile.
const slowExec = time.Second

// inheritance returns what the main program inherits. Its Directory is to be
// closed.
func (i *Init) inheritance() spawn.Inheritance {
	from := spawn.Inheritance{Open: true, Blocked: inherit.Blocked(), Ignored: inherit.Ignored()}
	if i.options.DefaultSignals {
		const realTime = 1<<64 - 1<<(32-1)
		from.Blocked, from.Ignored = 0, from.Ignored&realTime
	}
	// A directory that we may not enter again, such as a working directory in
	// /root for another user, is left in Begin.
	if fd, err := unix.Open(".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
		if unix.Fchdir(fd) == nil {
			from.Directory = fd
		} else {
			unix.Close(fd)
		}
	}
	return from
}

// execute starts the main program at a path. Its error is that of execve(2). This
// process leaves the working directory before the main program, which finds it in
// / then, as below dumb-init, and returns for the next try.
func (i *Init) execute(path string, argv []string, attr *syscall.ProcAttr, from spawn.Inheritance) (err error) {
	if from.Directory != 0 {
		unix.Chdir("/")
		defer func() {
			if err != nil {
				unix.Fchdir(from.Directory)
			}
		}()
	}
	pid, err := i.Reaper.StartInheriting(path, argv, attr, from,
		func(err error) { i.job.executed <- err },
		func(ws syscall.WaitStatus) { i.job.ended <- ws })
	if err != nil {
		return err
	}
	if i.Reaper.AwaitExec(pid, slowExec) {
		if err := <-i.job.executed; err != nil {
			return err
		}
	}
	i.job.pid = pid
	return nil
}

// attributes chooses the session, the process group and the terminal of the
// main program. See the package comment.
func (i *Init) attributes() *syscall.SysProcAttr {
	sys := &syscall.SysProcAttr{}
	tty := i.terminal.fd
	switch {
	case i.options.SameGroup:
	case i.options.Session, i.terminal.isOurs():
		sys.Setsid = true
		if i.releaseTerminal() {
			sys.Setctty, sys.Ctty, i.job.ownSession = true, tty, true
		}
	default:
		sys.Setpgid = true
		if i.terminal.weAreForeground() {
			sys.Foreground, sys.Ctty = true, tty
		}
	}
	return sys
}

// search executes a program as execvp(3) does: start is execve(2), or a fork
// and execve(2). The code is the exit code that a shell has for the error.
func search(command []string, start func(path string, argv []string) error) (code int, err error) {
	if err = program.Execvp(command, start); err == nil {
		return 0, nil
	}
	var failed *program.Error
	errors.As(err, &failed)
	return failed.ExitCode(), err
}
