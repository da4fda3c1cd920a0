package reaper

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/reaper/proc"
)

// errNoKill is EPERM with the remedy.
var errNoKill = fmt.Errorf("%w: add the capability KILL", syscall.EPERM)

// explainRefusal returns the error of a kill(2) with the remedy, if there is one.
func explainRefusal(err error) error {
	if err == syscall.EPERM && !mayKill() {
		return errNoKill
	}
	return err
}

// mayKill reports whether we have the capability to signal processes of other
// users.
func mayKill() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	return unix.Capget(&header, &sets[0]) != nil || sets[0].Effective&(1<<unix.CAP_KILL) != 0
}

// Describe returns the pid and the user of a process, as in "pid 12, uid 33",
// without the user where it is not known.
func (r *Reaper) Describe(pid int) string {
	s := "pid " + strconv.Itoa(pid)
	if uid, err := proc.UID(pid); err == nil {
		s += ", uid " + strconv.Itoa(uid)
	}
	return s
}

// refuses reports whether kill(2) is refused for the process.
func refuses(pid int) bool { return unix.Kill(pid, 0) == unix.EPERM }

// noteRefusal remembers that a process could not be signalled.
func (r *Reaper) noteRefusal(err error) {
	if errors.Is(err, syscall.EPERM) {
		r.refused.Store(true)
	}
}

// Drained returns a channel that is closed, after Drain, when no child is left
// but those that cannot be signalled, so that nobody can stop them. PID 1 ends
// them with itself.
func (r *Reaper) Drained() <-chan struct{} { return r.drained }

// checkDrained closes Drained if only processes that cannot be signalled are
// left. It is called after every exit during Drain, and does nothing unless a
// process could not be signalled.
func (r *Reaper) checkDrained() {
	if !r.refused.Load() {
		return
	}
	ps := readProcs()
	if ps == nil {
		return
	}
	for pid := range ps.ours() {
		if !refuses(pid) {
			return
		}
	}
	r.endDrain()
}

func (r *Reaper) endDrain() { r.drainedOnce.Do(func() { close(r.drained) }) }
