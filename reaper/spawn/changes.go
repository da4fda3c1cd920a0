//go:build amd64 || arm64

package spawn

import (
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"svinit/reaper/procattr"
)

// changes is what a child changes of itself beyond what every child does, as the
// kernel wants it. A nil pointer is no change.
type changes struct {
	extra      procattr.Extra
	credential *syscall.Credential
	dir        *byte
	adjustment []byte        // of the out-of-memory score
	limit      []unix.Rlimit // in the order of extra.Limits
	drop       []uintptr     // capabilities to be removed from the bounding set
	capHeader  unix.CapUserHeader
	capData    [2]unix.CapUserData
	ambient    []uintptr // capabilities
	keepCaps   bool      // when the user changes

	marks []mark
}

// mark says to which step the ops from an index on belong; 0 for none.
type mark struct {
	first, index int
	step         procattr.Step
}

// oomScoreAdj is the file in which a process changes its score.
var oomScoreAdj = []byte("/proc/self/oom_score_adj\x00")

// noID is what leaves an ID unchanged (setresuid(2)): no user has it.
const noID = ^uint32(0)

// newChanges prepares the changes. Errors: EINVAL for a directory with a NUL, and
// for a user or group with the ID noID.
func newChanges(sys *syscall.SysProcAttr, extra *procattr.Extra) (c *changes, err error) {
	if extra == nil && (sys == nil || sys.Credential == nil) {
		return nil, nil
	}
	c = &changes{}
	if extra != nil {
		c.extra = *extra
	}
	if sys != nil {
		c.credential = sys.Credential
	}
	if id := c.credential; id != nil && (id.Uid == noID || id.Gid == noID) {
		return nil, unix.EINVAL
	}
	if c.extra.Dir != "" {
		if c.dir, err = unix.BytePtrFromString(c.extra.Dir); err != nil {
			return nil, err
		}
	}
	if n := c.extra.OOMScoreAdj; n != nil {
		c.adjustment = strconv.AppendInt(nil, int64(*n), 10)
	}
	for _, l := range c.extra.Limits {
		c.limit = append(c.limit, unix.Rlimit{Cur: l.Soft, Max: l.Max})
	}
	if set := c.extra.Capabilities; set != nil {
		c.setCapabilities(*set)
	}
	return c, nil
}

// setCapabilities prepares a change to exactly these capabilities.
func (c *changes) setCapabilities(set uint64) {
	root := syscall.Geteuid() == 0
	if c.credential != nil {
		root = c.credential.Uid == 0
	}
	c.keepCaps = !root && set != 0
	c.capHeader.Version = unix.LINUX_CAPABILITY_VERSION_3
	for n := uintptr(0); n < 64; n++ {
		if set&(1<<n) == 0 {
			if has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, n, 0, 0, 0); err == nil && has == 1 {
				c.drop = append(c.drop, n)
			}
			continue
		}
		data, bit := &c.capData[n/32], uint32(1)<<(n%32)
		data.Effective |= bit
		data.Permitted |= bit
		if !root {
			// A program that root executes gets what is in the bounding set.
			data.Inheritable |= bit
			c.ambient = append(c.ambient, n)
		}
	}
}

// needsOwnMemory reports whether the child must not share our memory until it
// executes, see the package comment. __set_oom_adj in the kernel's fs/proc/base.c
// changes the score of all processes that share memory.
func (c *changes) needsOwnMemory() bool {
	return c != nil && (c.credential != nil || c.extra.Capabilities != nil || c.adjustment != nil)
}

// appendTo appends the system calls that make the changes, in an order in which
// each still has the rights that it needs.
func (c *changes) appendTo(ops []op) []op {
	if c == nil {
		return ops
	}
	step := func(s procattr.Step, index int) { c.marks = append(c.marks, mark{len(ops), index, s}) }
	call := func(flags, number uintptr, args ...uintptr) {
		o := op{number: number, flags: flags}
		copy(o.args[:], args)
		ops = append(ops, o)
	}
	if mask := c.extra.Umask; mask != nil {
		step(procattr.Umask, 0)
		call(0, unix.SYS_UMASK, uintptr(*mask))
	}
	if n := c.extra.Nice; n != nil {
		step(procattr.Nice, 0)
		call(reportFail, unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, uintptr(*n))
	}
	if text := c.adjustment; text != nil {
		step(procattr.OOMScoreAdj, 0)
		fdcwd := unix.AT_FDCWD
		call(mayFail|passResult, unix.SYS_OPENAT, uintptr(fdcwd), uintptr(unsafe.Pointer(&oomScoreAdj[0])), unix.O_WRONLY|unix.O_CLOEXEC)
		call(reportFail, unix.SYS_WRITE, ^uintptr(0), uintptr(unsafe.Pointer(&text[0])), uintptr(len(text)))
	}
	for i, l := range c.extra.Limits {
		step(procattr.Limits, i)
		call(reportFail, unix.SYS_PRLIMIT64, 0, uintptr(l.Resource), uintptr(unsafe.Pointer(&c.limit[i])), 0)
	}
	c.appendIdentity(step, func(number uintptr, args ...uintptr) { call(0, number, args...) })
	if c.extra.NoNewPrivs {
		step(procattr.NoNewPrivs, 0)
		call(0, unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1)
	}
	if c.dir != nil {
		step(procattr.Dir, 0)
		call(0, unix.SYS_CHDIR, uintptr(unsafe.Pointer(c.dir)))
	}
	step(0, 0)
	return ops
}

// appendIdentity appends the change of user, groups and capabilities. The bounding
// set needs CAP_SETPCAP, which goes with the user, and so do all capabilities
// without PR_SET_KEEPCAPS.
func (c *changes) appendIdentity(step func(procattr.Step, int), call func(number uintptr, args ...uintptr)) {
	if c.extra.Capabilities != nil {
		step(procattr.Capabilities, 0)
		for _, n := range c.drop {
			call(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, n)
		}
	}
	if id := c.credential; id != nil {
		step(procattr.Identity, 0)
		if c.keepCaps {
			call(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1)
		}
		if !id.NoSetGroups {
			var first unsafe.Pointer
			if len(id.Groups) > 0 {
				first = unsafe.Pointer(&id.Groups[0])
			}
			call(unix.SYS_SETGROUPS, uintptr(len(id.Groups)), uintptr(first))
		}
		gid, uid := uintptr(id.Gid), uintptr(id.Uid)
		call(unix.SYS_SETRESGID, gid, gid, gid)
		call(unix.SYS_SETRESUID, uid, uid, uid)
	}
	if c.extra.Capabilities != nil {
		step(procattr.Capabilities, 0)
		call(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&c.capHeader)), uintptr(unsafe.Pointer(&c.capData[0])))
		for _, n := range c.ambient {
			call(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, n)
		}
	}
}

// explain returns the error of the op with an index, nil if it is none of the
// changes.
func (c *changes) explain(op int, errno syscall.Errno) error {
	if c == nil {
		return nil
	}
	var of mark
	for _, m := range c.marks {
		if m.first <= op {
			of = m
		}
	}
	if of.step == 0 {
		return nil
	}
	if of.step == procattr.OOMScoreAdj && errno == unix.EBADF {
		errno = unix.ENOENT // the file could not be opened: there is no /proc
	}
	return &procattr.Error{Step: of.step, Index: of.index, Errno: errno}
}
