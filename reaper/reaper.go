// Package reaper is the only place in svinit that waits for children.
//
// A process has one table of children, and any wait(2) for "any child" takes
// whatever has ended, so two waiters in one process steal each other's exit
// statuses. Everything is therefore started through [Reaper.Start], reported
// by the goroutine in [Reaper.Run], and signalled through [Reaper.Signal].
//
// Three races are closed:
//
//   - A child can die before fork has returned to Start. While a Start is
//     under way, Run keeps the status of a child that nobody knows, and Start
//     looks there for its own. (One lock held over fork and registration would
//     do, too, but an exec can hang, on a dead NFS server, and would then stop
//     the reaping, the signals and the shutdown.)
//   - A pid is free to be used again once its status has been taken. That
//     happens under the lock, as does Signal, which never hits a stranger.
//   - Run learns that something has ended by waitid(2) with WNOWAIT, which
//     takes nothing and needs no lock.
//
// A child that is not in the table was somebody else's and came to us when
// its parent died: an orphan. It is reaped and counted.
package reaper

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/reaper/sigaction"
)

// ErrDraining says that nothing is started any more, since Drain was called.
var ErrDraining = errors.New("shutting down")

// Reaper starts, waits for and signals the children of this process. There
// must be one; the zero value is not usable, see New.
type Reaper struct {
	// ByBell has Run wait for Wake alone instead of in a system call, which
	// takes a thread. It is set before Run.
	ByBell bool

	mu       sync.Mutex // never held over anything that can wait
	children map[int]func(syscall.WaitStatus)
	draining bool
	starting int                        // calls of Start under way
	unknown  map[int]syscall.WaitStatus // ended meanwhile: theirs, or orphans
	termed   map[int]uint64             // orphans that got TERM, by pid, with their start

	// Stopped, when set before Run, is called for each child that a signal has
	// stopped, and Orphan for each that has ended and was not started by us.
	// They must not block.
	Stopped func(pid int, sig syscall.Signal)
	Orphan  func(pid int, ws syscall.WaitStatus)

	woken   chan struct{} // wakes Run where it sleeps without children
	orphans atomic.Uint64

	caught sigaction.Action // what SIGCHLD did before Run
}

// New returns a Reaper. Where we are not PID 1 it makes this process the
// subreaper of its descendants (PR_SET_CHILD_SUBREAPER in prctl(2)), or
// orphans would go past us; the error is that call's, and the Reaper can be used
// nevertheless. Whoever calls it catches SIGCHLD, and calls Wake for it.
func New() (*Reaper, error) {
	r := &Reaper{
		children: make(map[int]func(syscall.WaitStatus)),
		unknown:  make(map[int]syscall.WaitStatus),
		termed:   make(map[int]uint64),
		woken:    make(chan struct{}, 1),
	}
	if os.Getpid() == 1 {
		return r, nil
	}
	return r, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// Start forks and executes path with argv and attr. exited is called once,
// when the process has ended, perhaps before Start returns; it must not block.
// The child has an empty signal mask, whatever ours is. Errors: ErrDraining,
// and the errno of fork(2) or execve(2), after which nothing runs and exited
// is not called.
func (r *Reaper) Start(path string, argv []string, attr *syscall.ProcAttr, exited func(syscall.WaitStatus)) (pid int, err error) {
	r.mu.Lock()
	if r.draining {
		r.mu.Unlock()
		return 0, ErrDraining
	}
	r.starting++
	r.mu.Unlock()

	pid, err = r.fork(path, argv, attr)

	r.mu.Lock()
	r.starting--
	ws, ended := r.unknown[pid]
	delete(r.unknown, pid)
	if err == nil && !ended {
		r.children[pid] = exited
	}
	if r.starting == 0 {
		r.orphans.Add(uint64(len(r.unknown)))
		for pid, ws := range r.unknown {
			if r.Orphan != nil {
				r.Orphan(pid, ws)
			}
		}
		clear(r.unknown)
	}
	r.mu.Unlock()
	switch {
	case err != nil:
		return 0, err
	case ended:
		exited(ws)
	}
	r.Wake()
	return pid, nil
}

// fork is syscall.ForkExec with an empty signal mask in the child, which gets
// that of the thread that forks. We may have been started with blocked
// signals, and package signals blocks SIGTTOU in a thread now and then.
func (r *Reaper) fork(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var empty, ours unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &empty, &ours); err != nil {
		return 0, err
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &ours, nil)
	return syscall.ForkExec(path, argv, attr)
}

// Signal sends sig to a process that Start returned, and with a negative pid
// to its process group. Errors: ESRCH once the process has ended, and those
// of kill(2).
func (r *Reaper) Signal(pid int, sig syscall.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.children[max(pid, -pid)] == nil {
		return syscall.ESRCH
	}
	return syscall.Kill(pid, sig)
}

// Started returns the processes that Start returned and that have not ended.
func (r *Reaper) Started() map[int]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	pids := make(map[int]bool, len(r.children))
	for pid := range r.children {
		pids[pid] = true
	}
	return pids
}

// Drain makes Run return at the moment when no child is left, and Start
// refuse.
func (r *Reaper) Drain() {
	r.mu.Lock()
	r.draining = true
	r.mu.Unlock()
	r.Wake()
}

// Wake says that SIGCHLD has come.
func (r *Reaper) Wake() {
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

// Orphans returns how many children that we did not start have been reaped.
func (r *Reaper) Orphans() uint64 { return r.orphans.Load() }

// Run reaps until Drain has been called and no child is left.
func (r *Reaper) Run() {
	if r.ByBell {
		r.runByBell()
		return
	}
	// A handler would run for each child, to no use: waitid wakes us.
	r.caught = sigaction.Set(syscall.SIGCHLD, sigaction.Action{})
	defer sigaction.Set(syscall.SIGCHLD, r.caught)
	for turn := 1; ; turn++ {
		err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT, nil)
		switch {
		case err == nil:
			r.reap()
			// A goroutine that never gives way for 10 ms loses its right to run
			// to Go's monitor in each system call, and wakes it to get it back:
			// a storm of orphans would wake two threads for each.
			if turn%batch == 0 {
				runtime.Gosched()
			}
		case err == unix.ECHILD && !r.sleep():
			return
		}
	}
}

// ReapNow reaps the children that have ended by now, and reports whether a child
// is left. It is for the time before Run.
func (r *Reaper) ReapNow() (left bool) {
	r.reap()
	return !childless()
}

// runByBell is Run where SIGCHLD stays caught.
func (r *Reaper) runByBell() {
	for {
		r.mu.Lock()
		draining := r.draining
		r.mu.Unlock()
		var info unix.Siginfo // nothing (0) when none has ended
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT|unix.WNOHANG, nil)
		switch {
		case err == nil && info.Signo != 0:
			r.reap()
		case err == unix.ECHILD && draining:
			return
		case err != unix.EINTR:
			<-r.woken
		}
	}
}

// batch bounds how many statuses are taken under one lock, so that a storm of
// orphans does not keep Start and Signal waiting.
const batch = 64

// reap takes the statuses that are there and hands them to their owners.
func (r *Reaper) reap() {
	var ended [batch]struct {
		exited func(syscall.WaitStatus)
		status syscall.WaitStatus
	}
	n := 0
	r.mu.Lock()
	for range batch {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG|syscall.WUNTRACED, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			break
		}
		if ws.Stopped() {
			if r.Stopped != nil {
				r.Stopped(pid, ws.StopSignal())
			}
			continue
		}
		exited := r.children[pid]
		if exited == nil {
			if r.starting > 0 {
				r.unknown[pid] = ws
			} else {
				r.orphans.Add(1)
				if r.Orphan != nil {
					r.Orphan(pid, ws)
				}
			}
			continue
		}
		delete(r.children, pid)
		ended[n].exited, ended[n].status = exited, ws
		n++
	}
	r.mu.Unlock()
	for _, e := range ended[:n] {
		e.exited(e.status)
	}
	if n > 0 {
		runtime.Gosched() // to the owners, before this thread waits again
	}
}

// childless reports whether we have no child, dead or alive.
func childless() bool {
	return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil) == unix.ECHILD
}

// sleep waits, without any child, for one: started by us, or an orphan, which
// can come from a process that entered our namespace from outside (docker
// exec). It reports whether to go on. Only here does SIGCHLD matter.
func (r *Reaper) sleep() bool {
	sigaction.Set(syscall.SIGCHLD, r.caught)
	defer sigaction.Set(syscall.SIGCHLD, sigaction.Action{})
	for {
		r.mu.Lock()
		draining := r.draining
		r.mu.Unlock()
		// An orphan may have come and gone before SIGCHLD was caught.
		if !childless() {
			return true
		}
		if draining {
			return false
		}
		<-r.woken
	}
}
