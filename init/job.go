package pid1

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The terminal of a main program. In the shell's terms it is a job: a process
// group of its own, put into the foreground. What a shell does with a job that
// is stopped, somebody must do here too: nobody else can continue it.

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
	if st.pid != s.main || s.conf.Setsid && st.sig == syscall.SIGSTOP {
		return
	}
	tty := st.sig == syscall.SIGTTIN || st.sig == syscall.SIGTTOU
	switch {
	case s.terminal && shellAbove():
		s.asJob = true                // until CONT comes
		unix.Kill(0, syscall.SIGSTOP) // with those that share our group, as a shell's script does
		return
	case s.terminal:
		// It was told that it is in the background: it would be again.
		if tty && setForeground(s.main) != nil {
			return
		}
	case os.Getpid() != 1 || st.sig == syscall.SIGSTOP || tty && hasTerminal():
		return
	}
	target := -s.main
	if s.alone != nil && s.alone.Within {
		target = s.main
	}
	s.procs.Signal(target, syscall.SIGCONT)
}

// continued is what follows on CONT when we have stopped with the main program:
// it goes on, with the terminal if that has been given to us.
func (s *system) continued() error {
	s.asJob = false
	if ownsTerminal() {
		setForeground(s.main)
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
	for pid := os.Getppid(); pid > 0; pid = parentOf(pid) {
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
	name, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	switch string(name) {
	case "tini\n", "tini-static\n", "docker-init\n", "dumb-init\n", "catatonit\n", "svinit\n":
		return true
	}
	return false
}

// parentOf returns the parent of a process, 0 where there is no telling.
func parentOf(pid int) int {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// "pid (comm) state ppid …" (proc_pid_stat(5)), and comm can hold anything.
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(f) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(string(f[1]))
	return parent
}

// ownsTerminal says whether standard input is our controlling terminal and we
// are in its foreground: only then is it ours to hand on.
func ownsTerminal() bool {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// hasTerminal says whether we have a controlling terminal, wherever it is.
func hasTerminal() bool {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err == nil
}

// setForeground puts a process group into the foreground of our terminal.
func setForeground(group int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Who is in the background may do that with SIGTTOU blocked.
	var mask, ours unix.Sigset_t
	mask.Val[0] = 1 << (syscall.SIGTTOU - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &mask, &ours); err != nil {
		return err
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &ours, nil)
	return unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, group)
}

// takeTerminal takes back what startMain has handed on, for who comes after
// us: a script that started us goes on in our group.
func (s *system) takeTerminal() {
	if s.terminal && os.Getpid() != 1 {
		setForeground(unix.Getpgrp())
	}
}

// releaseTerminal gives our terminal up, for a session that is about to begin,
// and says whether there was one. A terminal of another's session remains his.
// The kernel sends HUP and CONT to the foreground of a terminal given up, which
// is us: they are not meant for the main program.
func (s *system) releaseTerminal() bool {
	leader, err := unix.IoctlGetInt(0, unix.TIOCGSID)
	if err != nil || leader != os.Getpid() || unix.IoctlSetInt(0, unix.TIOCNOTTY, 0) != nil {
		return false
	}
	s.hush = 1<<syscall.SIGHUP | 1<<syscall.SIGCONT
	return true
}
