// Package reaper is the only place in svinit that waits for children.
//
// A process has one table of children, and any wait(2) for "any child" takes
// whatever has ended, so two waiters in one process steal each other's exit
// statuses. Everything is therefore started through [Reaper.Start], reported
// by the goroutine in [Reaper.Run], and signalled through [Reaper.Signal].
//
// Start does not wait for execve(2), which can hang (package spawn). What came
// of it is an event like the exit, and comes before it.
//
// Three races are closed:
//
//   - A child can end before clone has returned to Start. The lock is held from
//     before the clone until the child is in the table. Nothing that can hang
//     happens under it.
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
	"time"

	"golang.org/x/sys/unix"

	"svinit/reaper/procattr"
	"svinit/reaper/sigaction"
	"svinit/reaper/spawn"
)

// ErrDraining says that nothing is started any more, since Drain was called.
var ErrDraining = errors.New("shutting down")

// Reaper starts, waits for and signals the children of this process. There
// must be one; the zero value is not usable, see New.
type Reaper struct {
	// WaitForWake has Run wait for Wake alone instead of in a system call, which
	// needs a thread. It is set before Run.
	WaitForWake bool

	// Watch has ready called, by another goroutine, when a descriptor can be
	// read, until Unwatch. They are set before the first Start. Without them
	// nobody hears of an execve(2) that takes longer than AwaitExec waits until
	// the process ends.
	Watch   func(fd int, ready func()) error
	Unwatch func(fd int)

	mu       sync.Mutex // never held over anything that can wait
	children map[int]*child
	draining bool
	termed   map[int]uint64 // orphans that got TERM, by pid, with their start
	refused  atomic.Bool    // a process could not be signalled for lack of permission
	drained  chan struct{}  // see Drained
	claimed  map[int]uint64 // orphans that Claim was called for, likewise
	filters  filters        // what StopOrphansButFilters waits for

	// Stopped, when set before Run, is called for each child that a signal has
	// stopped, and Orphan for each that has ended and was not started by us.
	// They must not block.
	Stopped func(pid int, sig syscall.Signal)
	Orphan  func(pid int, ws syscall.WaitStatus)

	// Refused, when set, is called for each orphan that could not be sent TERM for
	// lack of permission, with its name, pid and user, and EPERM with the remedy.
	Refused func(process string, err error)

	woken   chan struct{} // wakes Run where it sleeps without children
	orphans atomic.Uint64

	drainedOnce sync.Once

	caught sigaction.Action // what SIGCHLD did before Run
}

// child is a process that was started and has not been reaped.
type child struct {
	process  *spawn.Process
	refused  func(*procattr.Error) // may be nil
	executed func(error)           // nil once it has been called
	watched  bool                  // by Watch, until then
	exited   func(syscall.WaitStatus)
}

// New returns a Reaper. Where we are not PID 1 it makes this process the
// subreaper of its descendants (PR_SET_CHILD_SUBREAPER in prctl(2)), or
// orphans would go past us; the error is that call's, and the Reaper can be used
// nevertheless. Whoever calls it catches SIGCHLD, and calls Wake for it.
func New() (*Reaper, error) {
	r := &Reaper{
		children: make(map[int]*child),
		termed:   make(map[int]uint64),
		claimed:  make(map[int]uint64),
		drained:  make(chan struct{}),
		woken:    make(chan struct{}, 1),
	}
	if os.Getpid() == 1 {
		return r, nil
	}
	return r, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// Start makes a process that executes path with argv, attr and extra, which may be
// nil, and returns before it has. The child has an empty signal mask, whatever ours
// is, and the descriptors of attr.Files.
//
// executed is called once, perhaps before Start returns: without error when the
// program was executed, or the process was killed before that; else with the
// errno of execve(2) or of what was to be done before it (chdir(2)), or a
// *procattr.Error, and then nothing runs and exited is not called. exited is called
// once, after executed, when the process has ended. Both must neither block nor
// call the Reaper.
//
// Errors: ErrDraining, and those of clone(2) and pipe2(2), after which neither
// is called.
func (r *Reaper) Start(path string, argv []string, attr *syscall.ProcAttr, extra *procattr.Extra, executed func(error), exited func(syscall.WaitStatus)) (pid int, err error) {
	c := &child{executed: executed, exited: exited}
	if extra != nil {
		c.refused = extra.Refused
	}
	return r.start(c, func() (*spawn.Process, error) { return spawn.Start(path, argv, attr, extra, false) })
}

// StartInheriting is Start for a child that gets more from this process.
func (r *Reaper) StartInheriting(path string, argv []string, attr *syscall.ProcAttr, from spawn.Inheritance, executed func(error), exited func(syscall.WaitStatus)) (pid int, err error) {
	c := &child{executed: executed, exited: exited}
	return r.start(c, func() (*spawn.Process, error) { return spawn.StartInheriting(path, argv, attr, from) })
}

func (r *Reaper) start(c *child, clone func() (*spawn.Process, error)) (pid int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.draining {
		return 0, ErrDraining
	}
	p, err := clone()
	if err != nil {
		return 0, err
	}
	c.process = p
	r.children[p.PID] = c
	r.Wake()
	return p.PID, nil
}

// AwaitExec reports whether the outcome of the Start that returned pid is known.
// It waits for it, so long at most, and then has it watched. It follows each
// Start, perhaps with no time to wait.
func (r *Reaper) AwaitExec(pid int, timeout time.Duration) (known bool) {
	r.mu.Lock()
	c := r.children[pid]
	if c == nil || c.executed == nil {
		r.mu.Unlock()
		return true
	}
	fd := c.process.Fd()
	r.mu.Unlock()
	if timeout > 0 {
		// When the process ends now, fd may become another file. That is only
		// waited for too long.
		limit := unix.NsecToTimespec(int64(timeout))
		unix.Ppoll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, &limit, nil)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.outcome(c); c.executed == nil {
		return true
	}
	if r.Watch != nil {
		c.watched = r.Watch(fd, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.outcome(c)
		}) == nil
	}
	return false
}

// outcome reports the outcome of a start, once it is known. r.mu is held.
func (r *Reaper) outcome(c *child) {
	if c.executed == nil {
		return // this wake-up is of before
	}
	err, known := c.process.Outcome()
	if !known {
		return
	}
	if c.watched {
		r.Unwatch(c.process.Fd())
	}
	if c.refused != nil {
		for _, e := range c.process.Refused() {
			c.refused(e)
		}
	}
	c.process.Close()
	if err != nil {
		c.exited = nil // nothing runs that could end
	}
	c.executed(err)
	c.executed = nil
}

// Signal sends sig to a process that Start returned, and with a negative pid
// to its process group. Errors: ESRCH once the process has ended, and those
// of kill(2), EPERM wrapped with the remedy.
func (r *Reaper) Signal(pid int, sig syscall.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.children[max(pid, -pid)] == nil {
		return syscall.ESRCH
	}
	err := syscall.Kill(pid, sig)
	r.noteRefusal(err)
	return explainRefusal(err)
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
	r.checkDrained()
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
	defer r.endDrain()
	if r.WaitForWake {
		r.runByWake()
		return
	}
	// A handler would run for each child, to no use: waitid wakes us.
	r.caught = sigaction.Set(syscall.SIGCHLD, sigaction.Action{})
	defer sigaction.Set(syscall.SIGCHLD, r.caught)
	for batches := 1; ; batches++ {
		err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT, nil)
		switch {
		case err == nil:
			r.reap()
			// A goroutine that never gives way for 10 ms loses its right to run
			// to Go's monitor in each system call, and wakes it to get it back:
			// a storm of orphans would wake two threads for each.
			if batches%batch == 0 {
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

// runByWake is Run where SIGCHLD stays caught.
func (r *Reaper) runByWake() {
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
		c := r.children[pid]
		if c == nil {
			r.orphans.Add(1)
			delete(r.claimed, pid)
			if r.Orphan != nil {
				r.Orphan(pid, ws)
			}
			r.filters.check(pid)
			continue
		}
		delete(r.children, pid)
		r.outcome(c)
		if c.exited != nil {
			ended[n].exited, ended[n].status = c.exited, ws
			n++
		}
	}
	draining := r.draining
	r.mu.Unlock()
	if draining {
		r.checkDrained()
	}
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
