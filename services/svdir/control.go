package svdir

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNotRunning says that no supervisor listens. The text is daemontools'.
var ErrNotRunning = errors.New("supervise not running")

// Listening reports whether a supervisor serves the state directory: whether
// somebody holds ok open for reading.
func Listening(state string) bool { return ProbeOK(state) == nil }

// ProbeOK opens the FIFO ok as svok does. Errors: ErrNotRunning when nobody
// reads it (ENXIO), one that says that it is no FIFO, else an *os.PathError.
func ProbeOK(state string) error {
	fd, err := OpenOK(state)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// OpenOK opens the FIFO ok for writing. When the supervisor ends, poll(2)
// reports POLLERR for it. Errors are those of ProbeOK.
func OpenOK(state string) (fd int, err error) { return openFIFO(state, "ok") }

// Send writes commands, letters of Commands, to the FIFO control in one write, so that no other
// client's bytes come between them (there must be fewer than PIPE_BUF, 4096).
// Without any it only sees whether there is a supervisor. It does not wait: a
// FIFO that is full, because a supervisor has not read for 64 KiB, is an error.
// Errors: those of ProbeOK, and an *os.PathError of the write.
func Send(state string, commands []byte) error {
	fd, err := openFIFO(state, "control")
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for len(commands) > 0 {
		_, err = unix.Write(fd, commands)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return &os.PathError{Op: "write", Path: state + "/control", Err: err}
		}
	}
	return nil
}

// openFIFO opens a FIFO of a state directory as openFIFOAt does.
func openFIFO(state, name string) (int, error) {
	dir, _, err := openDir(unix.AT_FDCWD, state, false)
	fd := -1
	if err == nil {
		defer unix.Close(dir)
		fd, err = openFIFOAt(dir, name)
	}
	if err != nil && err != ErrNotRunning && err != errNotFIFO {
		err = &os.PathError{Op: "open", Path: state + "/" + name, Err: err}
	}
	return fd, err
}
