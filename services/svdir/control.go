package svdir

import (
	"errors"
	"os"
	"syscall"
)

// ErrNotRunning says that no supervisor listens. The text is daemontools'.
var ErrNotRunning = errors.New("supervise not running")

// Listening reports whether a supervisor serves the state directory: whether
// somebody holds ok open for reading.
func Listening(state string) bool { return ProbeOK(state) == nil }

// ProbeOK opens the FIFO ok as svok does. Errors: ErrNotRunning when nobody
// reads it (ENXIO), else the *os.PathError of the open.
func ProbeOK(state string) error {
	fd, err := openWriter(state + "/ok")
	if err == nil {
		syscall.Close(fd)
	}
	return err
}

// Send writes commands, letters of Commands, to the FIFO control in one write, so that no other
// client's bytes come between them (there must be fewer than PIPE_BUF, 4096).
// Without any it only sees whether there is a supervisor.
// Errors: ErrNotRunning, else an *os.PathError of the open or the write.
func Send(state string, commands []byte) error {
	path := state + "/control"
	fd, err := openWriter(path)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	if len(commands) == 0 {
		return nil
	}
	// A full FIFO means a supervisor that is slow, not one that is gone: wait.
	if err := syscall.SetNonblock(fd, false); err != nil {
		return &os.PathError{Op: "write", Path: path, Err: err}
	}
	for {
		_, err = syscall.Write(fd, commands)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		return &os.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// openWriter opens a FIFO for writing without waiting for a reader.
func openWriter(path string) (int, error) {
	for {
		fd, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		switch err {
		case nil:
			return fd, nil
		case syscall.EINTR:
			continue
		case syscall.ENXIO:
			return -1, ErrNotRunning
		}
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
}
