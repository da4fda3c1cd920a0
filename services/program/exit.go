package program

import "syscall"

// Exit codes of svinit.
const (
	// As in daemontools: what went wrong in svinit or its tools themselves.
	ExitPermanent = 100 // wrong use: a retry cannot succeed
	ExitTemporary = 111 // the system refused: a retry may succeed

	// As in a shell: a program that could not be executed.
	ExitNotExecutable = 126 // found, but not executable
	ExitNotFound      = 127
)

// ExitCode returns the exit code that a shell has for the end of a process: for
// one that a signal has killed, 128 and the signal's number.
func ExitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// ExitCode returns the exit code that a shell has for the error.
func (e *Error) ExitCode() int {
	if e.NotFound {
		return ExitNotFound
	}
	return ExitNotExecutable
}

// Wait waits until the child pid has ended. It is for tools; in svinit itself
// package reaper waits for all children. Errors: those of wait4(2) but EINTR.
func Wait(pid int) (status syscall.WaitStatus, err error) {
	for {
		_, err = syscall.Wait4(pid, &status, 0, nil)
		if err != syscall.EINTR {
			return status, err
		}
	}
}
