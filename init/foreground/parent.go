package foreground

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/init/signals"
	"svinit/services/epoll"
	"svinit/services/svlog"
)

// parent is the process that started us, read as early as possible: it may
// exit at any time.
var parent = os.Getppid()

// watchParent makes the signal Options.ParentDeath arrive when our parent
// exits.
//
// PR_SET_PDEATHSIG (prctl(2)) is sent when the *thread* of the parent exits
// that started us, and is a setting of one thread of ours; a pidfd
// (pidfd_open(2)) stands for the process and can be waited for. PR_SET_PDEATHSIG
// is used where there is no pidfd: the parent is outside of our PID namespace,
// the kernel is older than 5.3, or seccomp forbids it.
func (i *Init) watchParent() {
	sig := i.options.ParentDeath
	if sig == 0 {
		return
	}
	fd, err := unix.PidfdOpen(parent, 0) // EINVAL for 0
	if err == nil && os.Getppid() != parent {
		unix.Close(fd)
		go func() { i.arrived <- signals.Signal{Number: sig} }()
		return
	}
	if err == nil {
		if err = onceReadable(fd, func() { i.arrived <- signals.Signal{Number: sig} }); err == nil {
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
		i.options.report(svlog.Unable("watch", "the parent process", err))
	}
}

// onceReadable calls f, from a goroutine of its own, when fd can be read.
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

// setPdeathsig makes the kernel send us a signal when our parent exits. It is a
// setting of this thread, which lasts as long as the process: the Go runtime
// ends none.
func setPdeathsig(sig syscall.Signal) error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(sig), 0, 0, 0); err != nil {
		return err
	}
	if os.Getppid() != parent { // it exited before the call
		syscall.Kill(os.Getpid(), sig)
	}
	return nil
}
