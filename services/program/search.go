package program

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// DefaultPath is where programs are looked for without PATH in the
	// environment (execvp(3)).
	DefaultPath = "/bin:/usr/bin"

	shell = "/bin/sh"
)

// ErrNotFound is the reason for a program that is in no directory of PATH.
var ErrNotFound = errors.New("no such program in PATH")

// Candidates returns the paths at which a program may be, in order: a name
// with a slash is a path; any other name is looked for in each directory of
// list, which has the form of PATH. An empty directory in it is the working
// directory, as is an empty list. It makes no system call.
func Candidates(name, list string) []string {
	if strings.Contains(name, "/") {
		return []string{name}
	}
	paths := make([]string, 0, 1+strings.Count(list, ":"))
	for {
		dir, rest, more := strings.Cut(list, ":")
		if dir == "" {
			dir = "."
		}
		paths = append(paths, dir+"/"+name)
		if !more {
			return paths
		}
		list = rest
	}
}

// ScriptArgv returns the arguments with which a file of no known format is
// executed: by the shell, which is argv[0] of the result (execvp(3)).
func ScriptArgv(path string, argv []string) []string {
	return append([]string{shell, path}, argv[1:]...)
}

// Error is why a program could not be executed.
type Error struct {
	Why   error         // names what is missing
	Errno syscall.Errno // what execvp(3) answers

	// NotFound reports whether no file was found that could be tried: for that
	// a shell's exit code is 127, else 126.
	NotFound bool
}

func (e *Error) Error() string { return e.Why.Error() }

// Unwrap returns Errno.
func (e *Error) Unwrap() error { return e.Errno }

// Execvp executes command as execvp(3) does, by calling start, which is
// execve(2) or a fork and execve(2): where something cannot be executed the
// search goes on, and a file of no known format is a script of the shell's.
// The error is an *Error.
func Execvp(command []string, start func(path string, argv []string) error) error {
	failed := &Error{Why: ErrNotFound, Errno: syscall.ENOENT, NotFound: true}
	for _, path := range found(command[0]) {
		err := start(path, command)
		if err == syscall.ENOEXEC {
			if err = start(shell, ScriptArgv(path, command)); err != nil {
				errno, _ := err.(syscall.Errno)
				return &Error{fmt.Errorf("%s has no #! in its first line, and sh cannot be executed to run it: %w", path, err), errno, false}
			}
		}
		errno, _ := err.(syscall.Errno)
		switch err {
		case nil:
			return nil
		case syscall.ENOENT, syscall.ENOTDIR, syscall.ESTALE, syscall.ENODEV, syscall.ETIMEDOUT:
			if failed.Why == ErrNotFound {
				failed.Why = ExplainExec(path, err)
			}
			if failed.Errno != syscall.EACCES {
				failed.Errno = errno
			}
		case syscall.EACCES:
			failed = &Error{ExplainExec(path, err), errno, false}
		default:
			return &Error{ExplainExec(path, err), errno, false}
		}
	}
	return failed
}

// found returns those candidates for a program that exist in the PATH of the
// environment, or of which that cannot be known. A name with a slash is
// returned without looking.
func found(name string) (paths []string) {
	list, ok := os.LookupEnv("PATH")
	if !ok {
		list = DefaultPath
	}
	if strings.Contains(name, "/") {
		return []string{name}
	}
	for _, file := range Candidates(name, list) {
		if name == "" {
			break
		}
		if err := unix.Faccessat(unix.AT_FDCWD, file, unix.F_OK, 0); err == nil || err == unix.EACCES {
			paths = append(paths, file)
		}
	}
	return paths
}
