package pid1

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/services"
)

// startMain starts the main program with our own standard streams, in the
// foreground of our terminal where there is one. It is looked for and executed
// as execvp(3) does: where something cannot be executed the search goes on, and
// a file that is no program is a script of sh's. The error comes with the exit
// code that a shell has for it.
func (s *system) startMain(command []string) (code int, err error) {
	attr := &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: mainFiles(s.inherited),
		Sys:   &syscall.SysProcAttr{Setpgid: true, Foreground: ownsTerminal()},
	}
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

// search finds a program by trying: start is execve(2), or a fork and that.
func search(command []string, start func(path string, argv []string) error) (code int, err error) {
	code, reason := exitNotFound, errNotFound
	for _, path := range candidates(command[0]) {
		err := start(path, command)
		if err == syscall.ENOEXEC {
			err = start("/bin/sh", append([]string{"/bin/sh", path}, command[1:]...))
		}
		switch err {
		case nil:
			return 0, nil
		case syscall.ENOENT, syscall.ENOTDIR, syscall.ESTALE, syscall.ENODEV, syscall.ETIMEDOUT:
			if reason == errNotFound {
				reason = services.ExplainExec(path, err)
			}
		case syscall.EACCES:
			code, reason = exitNotExec, services.ExplainExec(path, err)
		default:
			return exitNotExec, services.ExplainExec(path, err)
		}
	}
	return code, reason
}

// ownsTerminal says whether standard input is our controlling terminal and we
// are in its foreground: only then is it ours to hand on.
func ownsTerminal() bool {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// candidates is where a program may be: what has a slash is a path; else each
// directory of PATH (an empty one is the current) that has such a name.
func candidates(name string) (paths []string) {
	if strings.Contains(name, "/") {
		return []string{name}
	}
	path, ok := os.LookupEnv("PATH")
	if !ok {
		path = "/bin:/usr/bin"
	}
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		file := dir + "/" + name
		if name != "" && unix.Faccessat(unix.AT_FDCWD, file, unix.F_OK, 0) == nil {
			paths = append(paths, file)
		}
	}
	return paths
}

// errNotFound is a program that is nowhere in PATH.
var errNotFound = errors.New("no such program in PATH")

// forward passes a signal on to the main program.
func (s *system) forward(sig syscall.Signal) {
	if to, ok := s.conf.Signals[sig]; ok {
		if sig = to; sig == 0 {
			return
		}
	}
	pid := s.main
	if s.conf.Group {
		pid = -pid
	}
	if err := s.procs.Signal(pid, sig); err != nil && err != syscall.ESRCH {
		s.say("svinit: warning: unable to pass on " + signalName(sig) + ": " + err.Error())
	}
}

// signalName is a signal's name, or its number where it has none.
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return "signal " + strconv.Itoa(int(sig))
}
