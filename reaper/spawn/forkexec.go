package spawn

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// ForkExec is StartInheriting for a process without a reaper, such as a tool: it waits for
// the outcome. Errors: those of Start, and then of execve(2).
func ForkExec(path string, argv []string, attr *syscall.ProcAttr, from Inheritance) (pid int, err error) {
	p, err := StartInheriting(path, argv, attr, from)
	if err != nil {
		return 0, err
	}
	for {
		err, known := p.Outcome()
		if known {
			p.Close()
			return p.PID, p.reapFailed(err)
		}
		unix.Ppoll([]unix.PollFd{{Fd: int32(p.Fd()), Events: unix.POLLIN}}, nil, nil)
	}
}

// reapFailed waits for the end of the process if err says that it has executed
// nothing, and returns err.
func (p *Process) reapFailed(err error) error {
	if err != nil {
		for {
			if _, e := syscall.Wait4(p.PID, nil, 0, nil); e != syscall.EINTR {
				break
			}
		}
	}
	return err
}
