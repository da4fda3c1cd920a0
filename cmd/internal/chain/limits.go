package chain

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// resources is how many Linux knows (RLIM_NLIMITS).
const resources = 16

// limits is soft resource limits to be set for the program that the chain
// becomes, by resource. Hard limits are never changed.
type limits struct {
	soft  [resources]uint64
	given [resources]bool
}

// unlimited is cut to the hard limit, as every value is.
const unlimited = unix.RLIM_INFINITY

// set asks for a limit of n, or for the hard limit where that is lower. The
// last word counts.
func (l *limits) set(n uint64, resources ...int) {
	for _, r := range resources {
		l.soft[r], l.given[r] = n, true
	}
}

// forget takes a word back.
func (l *limits) forget(resources ...int) {
	for _, r := range resources {
		l.given[r] = false
	}
}

// starve reports whether among the limits is one that the runtime could meet.
func (l *limits) starve() bool {
	return l.given[unix.RLIMIT_AS] || l.given[unix.RLIMIT_DATA] || l.given[unix.RLIMIT_STACK] || l.given[unix.RLIMIT_NPROC]
}

// spare forgets these. It is for a tool of ours that is no chain tool, such as
// multilog, which takes little memory but could not even start.
func (l *limits) spare() {
	l.forget(unix.RLIMIT_AS, unix.RLIMIT_DATA, unix.RLIMIT_STACK, unix.RLIMIT_NPROC)
}

// A change is of one limit.
type change struct {
	resource    int
	was, wanted unix.Rlimit
}

// plan returns the changes that l makes to the limits of the process.
func (l *limits) plan() (plan []change, err error) {
	for r, given := range l.given {
		if !given {
			continue
		}
		c := change{resource: r}
		if err := unix.Prlimit(0, r, nil, &c.was); err != nil {
			return nil, err
		}
		c.wanted = unix.Rlimit{Cur: min(l.soft[r], c.was.Max), Max: c.was.Max}
		plan = append(plan, c)
	}
	return plan, nil
}

// set is prlimit(2), and not through the runtime.
func (c *change) set(to *unix.Rlimit) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, uintptr(c.resource), uintptr(unsafe.Pointer(to)), 0, 0, 0)
	return errno
}

// number reads a number as daemontools does: decimal digits and nothing else.
// No digits are 0, and too large a number loses its upper bits.
func number(s string) (n uint64, ok bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, true
}

// impose sets the limits for children to inherit, and returns what undoes it.
// The runtime has to live within them meanwhile: it may not, with little
// memory.
func (l *limits) impose() (undo func()) {
	plan, err := l.plan()
	if err != nil || len(plan) == 0 {
		return func() {}
	}
	if l.given[unix.RLIMIT_NOFILE] {
		// So that package syscall does not set the limit itself in a child.
		giveBackOpenFiles()
	}
	for i := range plan {
		plan[i].set(&plan[i].wanted)
	}
	return func() {
		for i := range plan {
			plan[i].set(&plan[i].was)
		}
	}
}

// A limitError is of setting a limit.
type limitError struct{ errno syscall.Errno }

func (e *limitError) Error() string { return e.errno.Error() }
func (e *limitError) Unwrap() error { return e.errno }
