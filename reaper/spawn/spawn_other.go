//go:build !amd64 && !arm64

package spawn

import (
	"errors"
	"syscall"

	"svinit/reaper/procattr"
)

// Process is a process that was started.
type Process struct{ PID int }

// ErrUnsupported says that procattr.Extra asks for something that
// syscall.ForkExec cannot do.
var ErrUnsupported = errors.New("only the user and the environment of a service can be set on this architecture")

// Start is syscall.ForkExec: it waits for the execve(2) of the child, and its
// error is that of it. With keepOpen it inherits the descriptors without
// close-on-exec; without, too. extra must be nil, or the error is ErrUnsupported.
func Start(path string, argv []string, attr *syscall.ProcAttr, extra *procattr.Extra, keepOpen bool) (*Process, error) {
	if extra != nil {
		return nil, ErrUnsupported
	}
	pid, err := syscall.ForkExec(path, argv, attr)
	return &Process{PID: pid}, err
}

// Inheritance is what a child gets from this process beside attr. Here it gets
// every descriptor without close-on-exec, and nothing else.
type Inheritance struct {
	Open             bool
	Directory        int // not supported: 0
	Blocked, Ignored uint64
}

// StartInheriting is Start.
func StartInheriting(path string, argv []string, attr *syscall.ProcAttr, _ Inheritance) (*Process, error) {
	return Start(path, argv, attr, nil, true)
}

// Fd returns -1: the outcome is known.
func (p *Process) Fd() int { return -1 }

// Outcome returns that the program was executed.
func (p *Process) Outcome() (err error, known bool) { return nil, true }

// Refused returns nothing.
func (p *Process) Refused() []*procattr.Error { return nil }

// Close does nothing.
func (p *Process) Close() {}
