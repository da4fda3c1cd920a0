package script

import (
	"golang.org/x/sys/unix"
)

// streams is the descriptors 0 to 9 of a script, the only ones that it can
// name: where each really is in our process, or closed. They are put into
// their places when a program is started; until then the files that the script
// opened are at 10 and above. What is open at 10 and above from the start is
// handed on as it is.
type streams [10]int

const closed = -1

const (
	reading   = unix.O_RDONLY
	writing   = unix.O_WRONLY | unix.O_CREAT | unix.O_TRUNC
	appending = unix.O_WRONLY | unix.O_CREAT | unix.O_APPEND
	both      = unix.O_RDWR | unix.O_CREAT
)

// reserve makes fd, that of any file, and its duplicates fill what is free
// below 10. The runtime may want descriptors for its poller at any time, and
// ends the process when the script's streams are put into the place of these.
// What it returns is to be closed, be it none.
func reserve(fd int) int {
	own := closed
	if fd >= len(streams{}) {
		own = fd
	}
	for {
		next, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return own
		}
		if next >= len(streams{}) {
			unix.Close(next)
			return own
		}
	}
}

// inherited is the streams as the process was given them. What closes at exec
// is reserve's, or the runtime's.
func inherited() (s streams) {
	for fd := range s {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		s[fd] = fd
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			s[fd] = closed
		}
	}
	return s
}

// open opens a file at 10 or above. The mode of one that it makes is the
// umask's.
func open(path string, flags int) (int, error) {
	fd, err := retry(func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, 0o666) })
	if err != nil {
		return closed, err
	}
	return above(fd, true)
}

// retry goes on where a signal of the runtime's broke in, which happens to a
// call that waits, as for the other end of a FIFO.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// above returns fd moved to 10 or above, where it closes at exec.
func above(fd int, move bool) (int, error) {
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, len(streams{}))
	if move {
		unix.Close(fd)
	}
	return high, err
}

// install puts the streams into their places, for execve.
func (s streams) install() error {
	for fd, from := range s {
		if from != closed && from != fd && from < len(s) {
			high, err := above(from, false)
			if err != nil {
				return err
			}
			s[fd] = high
		}
	}
	for fd, from := range s {
		switch from {
		case fd:
		case closed:
			// What closes at exec is left alone: it may be the runtime's.
			if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
				unix.Close(fd)
			}
		default:
			if err := unix.Dup3(from, fd, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// child is the streams as syscall.ForkExec wants them.
func (s streams) child() (files []uintptr) {
	for _, from := range s {
		files = append(files, uintptr(from)) // closed is ^0, as it is there
	}
	return files
}
