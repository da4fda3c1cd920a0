package pid1

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/reaper/proc"
)

// The terminal of a main program.
//
// Where the terminal's session is our own the main program gets a session of
// its own, and the terminal with it. Then nobody is in its session and outside
// of its process group, so that the kernel lets no key stop it (POSIX calls the
// group orphaned). It is not enough to continue what Ctrl-Z has stopped: a
// child that it stops between vfork and exec leaves its parent waiting in the
// kernel, and nobody hears of it.
//
// Where a shell, or whoever has the terminal, is above us, the main program is
// what a shell calls a job: a process group of its own, put into the foreground.
// What a shell does with a job that is stopped, somebody must do here too.

// stop is a child that a signal has stopped.
type stop struct {
	pid int
	sig syscall.Signal
}

// maxStops is how many stops are kept. Those of services are of no interest,
// and nobody reads them during a stop.
const maxStops = 64

// childStopped is called by the reaper.
func (s *system) childStopped(pid int, sig syscall.Signal) {
	select {
	case s.stopped <- stop{pid, sig}:
	default:
	}
}

// mainStopped sees to it that a main program that was stopped can go on.
//
// With a shell above us we are its job, and stop too. When the shell continues
// us, the main program follows. Without one, a key has stopped what no key can
// continue, so it goes on at once. A program that stops itself after Ctrl-Z may
// do so by SIGSTOP (vi of BusyBox), so on a terminal that counts as well; else
// SIGSTOP is an order of somebody who knows how to end it.
func (s *system) mainStopped(st stop) {
	if st.pid == os.Getpid() {
		s.groupReads()
		return
	}
	stopsToo := s.alone != nil && s.alone.StopToo // dumb-init's STOP is such an order
	if st.pid != s.main || st.sig == syscall.SIGSTOP && bool(s.conf.Setsid) && (stopsToo || !s.apart) {
		return
	}
	reads := st.sig == syscall.SIGTTIN || st.sig == syscall.SIGTTOU
	switch {
	case s.apart:
	case s.tty >= 0 && reads && s.inForeground():
		if s.setForeground(s.main) != nil { // it would be stopped again
			return
		}
	case s.tty >= 0 && shellAbove():
		s.stopAsJob()
		return
	case s.tty >= 0:
		if reads && s.setForeground(s.main) != nil {
			return
		}
	case os.Getpid() != 1 || st.sig == syscall.SIGSTOP:
		return
	}
	target := -s.main
	if s.alone != nil && s.alone.Within {
		target = s.main
	}
	s.procs.Signal(target, syscall.SIGCONT)
}

// groupReads follows when somebody in our own process group has been stopped
// since he uses the terminal from the background: another of our shell's
// pipeline, as in "svinit -- seq 1000 | less". What we have given to the main
// program he may have; else it is the shell's job that has stopped.
func (s *system) groupReads() {
	if s.takeTerminal(); s.inForeground() {
		unix.Kill(0, syscall.SIGCONT)
	} else if s.tty >= 0 && shellAbove() {
		s.stopAsJob()
	}
}

// stopAsJob stops us until CONT comes, with those that share our group, as a
// shell's script does.
func (s *system) stopAsJob() {
	s.asJob = true
	unix.Kill(0, syscall.SIGSTOP)
}

// continued is what follows on CONT when we have stopped with the main program:
// it goes on, with the terminal if that has been given to us.
func (s *system) continued() error {
	s.asJob = false
	if s.inForeground() {
		s.setForeground(s.main)
	}
	return s.procs.Signal(-s.main, syscall.SIGCONT)
}

// stopSelf stops this process until it is continued. The signal is for this
// thread, so that it does not go on before it has been heard; others of the
// kind that are still to be heard then are dropped by the kernel.
func stopSelf() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unix.Tgkill(os.Getpid(), unix.Gettid(), syscall.SIGSTOP)
}

// shellAbove reports whether our process group has a parent in our session,
// outside of the group: only then can somebody continue it who knows that it
// has stopped. (POSIX says that it is not orphaned.) An init is not one who
// knows.
func shellAbove() bool {
	session, err := unix.Getsid(0)
	if err != nil {
		return false
	}
	for pid := os.Getppid(); pid > 0; pid = proc.Parent(pid) {
		if sid, err := unix.Getsid(pid); err != nil || sid != session {
			return false
		}
		if group, err := unix.Getpgid(pid); err != nil || group != unix.Getpgrp() {
			return err == nil && !isInit(pid)
		}
	}
	return false
}

// isInit knows other inits by their names.
func isInit(pid int) bool {
	switch proc.Name(pid) {
	case "tini", "tini-static", "docker-init", "dumb-init", "catatonit", "svinit":
		return true
	}
	return false
}

// findTerminal returns a descriptor of our controlling terminal: a standard
// stream, or else /dev/tty, as in "seq 1000 | svinit -- less". It is -1 where we
// have none.
func findTerminal() int {
	session, err := unix.Getsid(0)
	if err != nil {
		return -1
	}
	for fd := range 3 {
		if leader, err := unix.IoctlGetInt(fd, unix.TIOCGSID); err == nil && leader == session {
			return fd
		}
	}
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return -1
	}
	return fd
}

// foreground returns the process group in the foreground of our terminal, -1
// without one. Groups from outside of our PID namespace, which ours may be, are 0.
func (s *system) foreground() int {
	group, err := unix.IoctlGetInt(s.tty, unix.TIOCGPGRP)
	if err != nil {
		return -1
	}
	return group
}

// inForeground says whether we are in the foreground of our terminal: only then
// is it ours to hand on.
func (s *system) inForeground() bool { return s.foreground() == unix.Getpgrp() }

// setForeground puts a process group into the foreground of our terminal.
func (s *system) setForeground(group int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Who is in the background may do that with SIGTTOU blocked.
	var mask, ours unix.Sigset_t
	mask.Val[0] = 1 << (syscall.SIGTTOU - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &mask, &ours); err != nil {
		return err
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &ours, nil)
	return unix.IoctlSetPointerInt(s.tty, unix.TIOCSPGRP, group)
}

// takeTerminal takes back what the main program was given: for who comes after
// us, as a script that started us goes on in our group, and for who has been
// stopped there meanwhile for want of it. What a shell has taken remains the
// shell's.
func (s *system) takeTerminal() {
	if s.tty >= 0 && os.Getpid() != 1 && s.foreground() == s.main && s.setForeground(unix.Getpgrp()) == nil {
		unix.Kill(0, syscall.SIGCONT)
	}
}

// leadsTerminal says whether the session of our terminal is our own, as in a
// container with one. Then no shell is above us.
func (s *system) leadsTerminal() bool {
	session, err := unix.Getsid(0)
	return err == nil && session == os.Getpid() && s.tty >= 0 && s.tty <= 2 && s.inForeground()
}

// releaseTerminal gives our terminal up, for a session that is about to begin,
// and says whether there was one. A terminal of another's session remains his.
// The kernel sends HUP and CONT to the foreground of a terminal given up, which
// is us: they are not meant for the main program.
func (s *system) releaseTerminal() bool {
	if !s.leadsTerminal() || unix.IoctlSetInt(s.tty, unix.TIOCNOTTY, 0) != nil {
		return false
	}
	s.hush = 1<<syscall.SIGHUP | 1<<syscall.SIGCONT
	s.tty = -1
	return true
}
