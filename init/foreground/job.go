package foreground

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/reaper/proc"
)

// job is the main program as a shell would see it.
type job struct {
	pid           int                     // 0 without a main program
	executed      chan error              // what came of its execve(2), where that took long
	ended         chan syscall.WaitStatus // its status
	stops         chan stop               // children that have been stopped
	ownSession    bool                    // it has our former terminal, in a session of its own
	stoppedWithUs bool                    // our process group has stopped with it
	ignoreOnce    uint64                  // signals (bit N) that are ignored the next time
}

// stop is a child that has been stopped by a signal.
type stop struct {
	pid int
	sig syscall.Signal
}

// maxStops is how many stops are kept. Those of services are not needed, and
// during a shutdown nobody takes any.
const maxStops = 64

// childStopped keeps a stop for Wait. The reaper calls it.
func (i *Init) childStopped(pid int, sig syscall.Signal) {
	select {
	case i.job.stops <- stop{pid, sig}:
	default:
	}
}

// ignore reports whether a signal is to be ignored this time.
func (j *job) ignore(sig syscall.Signal) bool {
	bit := uint64(1) << sig
	was := j.ignoreOnce&bit != 0
	j.ignoreOnce &^= bit
	return was
}

// childHasStopped makes sure that a stopped main program can be continued.
//
// With a shell above us we are the shell's job, and stop too. When the shell
// continues us, the main program is continued. Without a shell the main program
// has been stopped by a key that nobody can undo, so it is continued at once. A
// program may stop itself with SIGSTOP after Ctrl-Z (vi of BusyBox), so with a
// terminal SIGSTOP counts as well; otherwise SIGSTOP comes from somebody who
// will also send SIGCONT.
func (i *Init) childHasStopped(st stop) {
	if st.pid == os.Getpid() {
		i.groupWasStopped()
		return
	}
	if st.pid != i.job.pid {
		return
	}
	// With StopToo, SIGSTOP is what dumb-init sends in place of a key's signal.
	if st.sig == syscall.SIGSTOP && i.options.Session && (i.options.StopToo || !i.job.ownSession) {
		return
	}
	reads := st.sig == syscall.SIGTTIN || st.sig == syscall.SIGTTOU
	switch {
	case i.job.ownSession:
	case i.terminal.exists() && reads && i.terminal.weAreForeground():
		if i.terminal.setForeground(i.job.pid) != nil { // it would be stopped again
			return
		}
	case i.terminal.exists() && shellAbove():
		i.stopAsJob()
		return
	case i.terminal.exists():
		if reads && i.terminal.setForeground(i.job.pid) != nil {
			return
		}
	case os.Getpid() != 1 || st.sig == syscall.SIGSTOP:
		return
	}
	target := -i.job.pid
	if i.options.SameGroup {
		target = i.job.pid
	}
	i.Reaper.Signal(target, syscall.SIGCONT)
}

// groupWasStopped acts on the stop of a process in our own process group that
// has used the terminal from the background: another one of our shell's
// pipeline, as in "svinit -- seq 1000 | less". It may have the terminal that we
// gave to the main program; without that the shell's job as a whole has
// stopped.
func (i *Init) groupWasStopped() {
	if i.takeTerminal(); i.terminal.weAreForeground() {
		continueGroup()
	} else if i.terminal.exists() && shellAbove() {
		i.stopAsJob()
	}
}

// continueGroup continues our process group. The signal comes to us too, where
// listen drops it.
func continueGroup() { unix.Kill(0, syscall.SIGCONT) }

// stopAsJob stops our process group until SIGCONT arrives, as a job of the shell
// above us is stopped.
func (i *Init) stopAsJob() {
	i.job.stoppedWithUs = true
	unix.Kill(0, syscall.SIGSTOP)
}

// continued continues the main program after SIGCONT has continued us, in the
// foreground if the shell has put us there.
func (i *Init) continued() error {
	i.job.stoppedWithUs = false
	if i.terminal.weAreForeground() {
		i.terminal.setForeground(i.job.pid)
	}
	return i.Reaper.Signal(-i.job.pid, syscall.SIGCONT)
}

// stopSelf stops this process until it is continued. The signal goes to this
// thread, so that the thread does not run on before the signal has been acted
// on. Other stop signals that are pending are dropped by the kernel at SIGCONT.
func stopSelf() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unix.Tgkill(os.Getpid(), unix.Gettid(), syscall.SIGSTOP)
}

// shellAbove reports whether our process group has a parent process in our
// session, outside of the group: only then is there a process that knows of the
// stop and can continue the group. (In POSIX such a group is not orphaned.)
// Another init is no such process.
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

// isInit reports whether a process is a plain init, by its name.
func isInit(pid int) bool {
	switch proc.Name(pid) {
	case "tini", "tini-static", "docker-init", "dumb-init", "catatonit", "svinit":
		return true
	}
	return false
}
