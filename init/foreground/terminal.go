package foreground

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// terminal is the controlling terminal of this process.
type terminal struct{ fd int } // -1 without one

var noTerminal = terminal{-1}

// findTerminal returns our controlling terminal: a standard stream, or else
// /dev/tty, as in "seq 1000 | svinit -- less".
func findTerminal() terminal {
	session, err := unix.Getsid(0)
	if err != nil {
		return noTerminal
	}
	for fd := range 3 {
		if leader, err := unix.IoctlGetInt(fd, unix.TIOCGSID); err == nil && leader == session {
			return terminal{fd}
		}
	}
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return noTerminal
	}
	return terminal{fd}
}

// exists reports whether we have a controlling terminal.
func (t terminal) exists() bool { return t.fd >= 0 }

// foreground returns the process group in the foreground of the terminal, -1
// without one. It is 0 for a group from outside of our PID namespace, which our
// own may be.
func (t terminal) foreground() int {
	group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	if err != nil {
		return -1
	}
	return group
}

// weAreForeground reports whether our process group is in the foreground: only
// then may we give the terminal to another.
func (t terminal) weAreForeground() bool { return t.foreground() == unix.Getpgrp() }

// setForeground puts a process group into the foreground. Errors: those of
// TIOCSPGRP in ioctl_tty(2).
func (t terminal) setForeground(group int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// With SIGTTOU blocked a process in the background may do that too.
	var mask, ours unix.Sigset_t
	mask.Val[0] = 1 << (syscall.SIGTTOU - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &mask, &ours); err != nil {
		return err
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &ours, nil)
	return unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, group)
}

// isOurs reports whether the session of the terminal is our own, as in a
// container with one, and the terminal a standard stream. Then no shell is
// above us.
func (t terminal) isOurs() bool {
	session, err := unix.Getsid(0)
	return err == nil && session == os.Getpid() && t.fd >= 0 && t.fd <= 2 && t.weAreForeground()
}

// releaseTerminal disconnects our terminal (TIOCNOTTY in ioctl_tty(2)) so that
// the session of the main program can have it, and reports whether there was
// one. The terminal of another process's session stays with it.
func (i *Init) releaseTerminal() bool {
	if !i.terminal.isOurs() || unix.IoctlSetInt(i.terminal.fd, unix.TIOCNOTTY, 0) != nil {
		return false
	}
	// The kernel sends these to the foreground of a terminal that is
	// disconnected, which is us. They are not meant for the main program.
	i.job.ignoreOnce = 1<<syscall.SIGHUP | 1<<syscall.SIGCONT
	i.terminal = noTerminal
	return true
}

// takeTerminal takes back what the main program was given: for the script that
// started us, which goes on in our process group, and for a process of that
// group that has been stopped meanwhile because it used the terminal. A
// terminal that a shell has taken from the main program stays with the shell.
func (i *Init) takeTerminal() {
	if i.terminal.exists() && os.Getpid() != 1 && i.terminal.foreground() == i.job.pid && i.terminal.setForeground(unix.Getpgrp()) == nil {
		unix.Kill(0, syscall.SIGCONT)
	}
}
