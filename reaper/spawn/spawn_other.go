//go:build !amd64 && !arm64

package spawn

import "syscall"

// Process is a process that was started.
type Process struct{ PID int }

// Start is syscall.ForkExec: it waits for the execve(2) of the child, and its
// error is that of it. With keepOpen it inherits the descriptors without
// close-on-exec; without, too.
func Start(path string, argv []string, attr *syscall.ProcAttr, keepOpen bool) (*Process, error) {
	pid, err := syscall.ForkExec(path, argv, attr)
	return &Process{PID: pid}, err
}

// Fd returns -1: the outcome is known.
func (p *Process) Fd() int { return -1 }

// Outcome returns that the program was executed.
func (p *Process) Outcome() (err error, known bool) { return nil, true }

// Close does nothing.
func (p *Process) Close() {}
