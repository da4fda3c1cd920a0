package pid1

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// startMain starts the main program with our own standard streams, in the
// foreground of our terminal where there is one. The error comes with the
// exit code that a shell has for it.
func (s *system) startMain(command []string) (code int, err error) {
	path, err := lookPath(command[0])
	if err == nil {
		attr := &syscall.ProcAttr{
			Env:   os.Environ(),
			Files: mainFiles(s.inherited),
			Sys:   &syscall.SysProcAttr{Setpgid: true},
		}
		if ownsTerminal() {
			attr.Sys.Foreground = true
		}
		s.main, err = s.procs.Start(path, command, attr, func(ws syscall.WaitStatus) { s.mainEnded <- ws })
	}
	switch {
	case err == nil:
		return 0, nil
	case err == errNotFound, errors.Is(err, fs.ErrNotExist):
		return exitNotFound, err
	}
	return exitNotExec, err
}

// ownsTerminal says whether standard input is our controlling terminal and we
// are in its foreground: only then is it ours to hand on.
func ownsTerminal() bool {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// lookPath finds a program as execvp(3) does: what has a slash is a path;
// else each directory of PATH (an empty one is the current), where a file
// that may not be executed is remembered while the search goes on.
func lookPath(name string) (string, error) {
	if name == "" {
		return "", errNotFound
	}
	if strings.Contains(name, "/") {
		return name, nil
	}
	path, ok := os.LookupEnv("PATH")
	if !ok {
		path = "/bin:/usr/bin"
	}
	var denied error
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		file := dir + "/" + name
		fi, err := os.Stat(file)
		switch {
		case err != nil && !errors.Is(err, fs.ErrPermission):
			continue
		case err == nil && !fi.IsDir() && fi.Mode()&0o111 != 0:
			return file, nil
		case denied == nil:
			denied = &fs.PathError{Op: "execute", Path: filepath.Clean(file), Err: syscall.EACCES}
		}
	}
	if denied != nil {
		return "", denied
	}
	return "", errNotFound
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
