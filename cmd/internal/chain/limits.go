package chain

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// resources is the number of resource limits in Linux (RLIM_NLIMITS).
const resources = 16

// limits are the soft resource limits to set for the program that the chain
// executes, by resource. Hard limits are never changed.
type limits struct {
	soft  [resources]uint64
	isSet [resources]bool
}

// unlimited is lowered to the hard limit, like every value.
const unlimited = unix.RLIM_INFINITY

// set requests a limit of n, or the hard limit if that is lower. The last call for
// a resource counts.
func (l *limits) set(n uint64, resources ...int) {
	for _, r := range resources {
		l.soft[r], l.isSet[r] = n, true
	}
}

// unset withdraws the requests for these resources.
func (l *limits) unset(resources ...int) {
	for _, r := range resources {
		l.isSet[r] = false
	}
}

// affectsRuntime reports whether one of the limits could keep the Go runtime from
// working.
func (l *limits) affectsRuntime() bool {
	return l.isSet[unix.RLIMIT_AS] || l.isSet[unix.RLIMIT_DATA] || l.isSet[unix.RLIMIT_STACK] || l.isSet[unix.RLIMIT_NPROC]
}

// dropRuntimeLimits withdraws the limits that affect the runtime. It is for our
// tools that are not chain tools, such as multilog, which could not start.
func (l *limits) dropRuntimeLimits() {
	l.unset(unix.RLIMIT_AS, unix.RLIMIT_DATA, unix.RLIMIT_STACK, unix.RLIMIT_NPROC)
}

// A limitChange is the change of one limit.
type limitChange struct {
	resource int
	old, new unix.Rlimit
}

// plan returns the changes to the limits of the process.
func (l *limits) plan() (plan []limitChange, err error) {
	for r, given := range l.isSet {
		if !given {
			continue
		}
		c := limitChange{resource: r}
		if err := unix.Prlimit(0, r, nil, &c.old); err != nil {
			return nil, err
		}
		c.new = unix.Rlimit{Cur: min(l.soft[r], c.old.Max), Max: c.old.Max}
		plan = append(plan, c)
	}
	return plan, nil
}

// apply calls prlimit(2) without the runtime.
func (c *limitChange) apply(to *unix.Rlimit) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, uintptr(c.resource), uintptr(unsafe.Pointer(to)), 0, 0, 0)
	return errno
}

// parseNumber parses a number as daemontools does: only decimal digits. No digits
// are 0, and a number that is too large loses its upper bits.
func parseNumber(s string) (n uint64, ok bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, true
}

// applyForChild sets the limits for a child to inherit, and returns a function that
// restores the old ones. In between they apply to the runtime, which may crash if
// it gets too little memory.
func (l *limits) applyForChild() (undo func()) {
	plan, err := l.plan()
	if err != nil || len(plan) == 0 {
		return func() {}
	}
	if l.isSet[unix.RLIMIT_NOFILE] {
		// Else package syscall would restore the original limit in the child.
		restoreOpenFilesLimit()
	}
	for i := range plan {
		plan[i].apply(&plan[i].new)
	}
	return func() {
		for i := range plan {
			plan[i].apply(&plan[i].old)
		}
	}
}

// A limitError is an error of prlimit(2).
type limitError struct{ errno syscall.Errno }

func (e *limitError) Error() string { return e.errno.Error() }
func (e *limitError) Unwrap() error { return e.errno }
