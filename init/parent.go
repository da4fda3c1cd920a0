package pid1

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/init/signals"
	"svinit/services/epoll"
	"svinit/services/svlog"
)

// parent is who started us, asked as early as can be: it may end at any time.
var parent = os.Getppid()

// watchParent has the signal of SVINIT_PARENT_DEATH taken as having come when
// our parent ends.
//
// PR_SET_PDEATHSIG (prctl(2)) says when the parent's *thread* that made us
// ends, and is a setting of one thread of ours; a descriptor of the parent
// (pidfd_open(2)) speaks of the process, and can be waited for. The former
// serves where the latter cannot be had: the parent is outside of our PID
// namespace, the kernel is older than 5.3, or seccomp forbids it.
func (s *system) watchParent() {
	sig := syscall.Signal(s.conf.ParentDeath)
	if sig == 0 {
		return
	}
	fd, err := unix.PidfdOpen(parent, 0) // of 0: EINVAL
	if err == nil && os.Getppid() != parent {
		unix.Close(fd)
		go func() { s.signals <- signals.Signal{Number: sig} }()
		return
	}
	if err == nil {
		if err = onceReadable(fd, func() { s.signals <- signals.Signal{Number: sig} }); err == nil {
			return
		}
		unix.Close(fd)
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the setting ends with its thread
		done <- unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(sig), 0, 0, 0)
		select {}
	}()
	if err := <-done; err != nil {
		s.report(svlog.Unable("watch", "the parent process", err))
	}
}

// onceReadable has f called, by a goroutine of its own, when fd can be read.
func onceReadable(fd int, f func()) error {
	poll, err := epoll.New()
	if err != nil {
		return err
	}
	if err := poll.Add(fd, epoll.Edge, f); err != nil {
		poll.Close()
		return err
	}
	go poll.Wait()
	return nil
}
