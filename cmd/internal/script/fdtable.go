package script

import (
	"golang.org/x/sys/unix"
)

// fdTable maps the descriptors 0 to 9 of a script, the only ones that it can
// name, to descriptors of our process, or to closed. The files that the script
// opens are at 10 and above until a program is started, which gets them under
// the numbers of the script. Descriptors of 10 and above that we inherited are
// passed on unchanged.
type fdTable [10]int

const closed = -1

const (
	reading   = unix.O_RDONLY
	writing   = unix.O_WRONLY | unix.O_CREAT | unix.O_TRUNC
	appending = unix.O_WRONLY | unix.O_CREAT | unix.O_APPEND
	readWrite = unix.O_RDWR | unix.O_CREAT
)

// reserveLowFDs fills all free descriptors below 10 with duplicates of fd. The
// Go runtime opens descriptors for its poller when it first needs them, and
// crashes when install replaces these. It returns the descriptor that the caller
// should close: fd if it is 10 or above, else closed.
func reserveLowFDs(fd int) int {
	own := closed
	if fd >= len(fdTable{}) {
		own = fd
	}
	for {
		next, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return own
		}
		if next >= len(fdTable{}) {
			unix.Close(next)
			return own
		}
	}
}

// inheritedFDs returns the table of the descriptors that the process inherited.
// Those with FD_CLOEXEC were opened by reserveLowFDs or by the runtime.
func inheritedFDs() (s fdTable) {
	for fd := range s {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		s[fd] = fd
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			s[fd] = closed
		}
	}
	return s
}

// open opens a file on a descriptor of 10 or above. A new file gets the mode
// 0666 less the umask.
func open(path string, flags int) (int, error) {
	fd, err := retry(func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, 0o666) })
	if err != nil {
		return closed, err
	}
	return dupHigh(fd, true)
}

// retry repeats a call that a signal of the runtime interrupted, which happens
// to calls that block, such as opening a FIFO.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// dupHigh duplicates fd to 10 or above, with FD_CLOEXEC; move closes fd.
func dupHigh(fd int, move bool) (int, error) {
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, len(fdTable{}))
	if move {
		unix.Close(fd)
	}
	return high, err
}

// install gives the descriptors the numbers of the script, for execve. It first
// moves those that it would otherwise overwrite.
func (s fdTable) install() error {
	for fd, from := range s {
		if from != closed && from != fd && from < len(s) {
			high, err := dupHigh(from, false)
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
			// With FD_CLOEXEC it may be the runtime's: leave it open.
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

// procAttrFiles returns the descriptors for syscall.ProcAttr.Files.
func (s fdTable) procAttrFiles() (files []uintptr) {
	for _, from := range s {
		files = append(files, uintptr(from)) // closed is ^uintptr(0), as there
	}
	return files
}
