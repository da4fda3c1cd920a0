package svlog

import "golang.org/x/sys/unix"

// PipeMode is the mode of the pipes that services write to. The kernel checks it
// when a service opens /dev/stdout, /dev/stderr or /proc/self/fd/2, which opens
// the pipe anew, and the service may run under any user. A process under another
// user cannot get at the pipe by /proc/PID/fd: that needs the right to trace the
// process (proc_pid_fd(5)). Nobody else may read, so that no service takes lines
// out of a log.
const PipeMode = 0o622

// NewPipe makes a pipe that processes under any user may open again to write to
// it, by a name such as /dev/stdout. Both ends are blocking and close-on-exec.
// Errors: those of pipe2(2).
func NewPipe() (r, w int, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return -1, -1, err
	}
	unix.Fchmod(p[1], PipeMode) // without it, all but opening it again works
	return p[0], p[1], nil
}

// ResetFlags clears the flags that an earlier process may have set on an open
// file that the next one inherits. With O_NONBLOCK the next one would fail with
// EAGAIN where it expects to wait.
func ResetFlags(fd int) {
	const flags = unix.O_NONBLOCK | unix.O_ASYNC
	if fl, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err == nil && fl&flags != 0 {
		unix.FcntlInt(uintptr(fd), unix.F_SETFL, fl&^flags)
	}
}
