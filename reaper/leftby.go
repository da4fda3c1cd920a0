package reaper

import (
	"time"

	"golang.org/x/sys/unix"

	"svinit/reaper/proc"
)

// LeftBy returns the processes that run on after the end of a process that
// Start returned, which was the leader of a session. These are orphans in that
// session, and, unless began is the zero time, orphans that were made between
// began and ended and have left it for a session of their own, as daemon(3) does.
// The latter are a guess: what Claim was called for is not among them.
//
// It reads one file in /proc, and one more for each orphan. Where /proc is not
// that of this PID namespace the result is empty.
func (r *Reaper) LeftBy(session int, began, ended time.Time) (left []proc.Process) {
	// An orphan is a child of this process.
	children, err := proc.Children()
	if err != nil {
		return nil
	}
	started := r.Started() // after reading the children: it has all that were started before
	for _, pid := range children {
		if started[pid] {
			continue
		}
		p, err := proc.Read(pid)
		if err != nil || p.State == 'Z' {
			continue
		}
		if p.Session != session {
			guess := !began.IsZero() && !started[p.Session] && p.Start >= ticks(began) && p.Start <= ticks(ended)
			if !guess || r.isClaimed(p) {
				continue
			}
		}
		left = append(left, p)
	}
	return left
}

// Again returns what a process that was read from /proc is now, and whether it
// still runs.
func (r *Reaper) Again(p proc.Process) (now proc.Process, runs bool) {
	now, err := proc.Read(p.PID)
	return now, err == nil && now.Start == p.Start && now.State != 'Z'
}

// Claim notes whose the process is, and reports whether that was not known.
func (r *Reaper) Claim(p proc.Process) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.claimed[p.PID] == p.Start {
		return false
	}
	r.claimed[p.PID] = p.Start
	return true
}

func (r *Reaper) isClaimed(p proc.Process) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.claimed[p.PID] == p.Start
}

// ticks returns a time as /proc/PID/stat has it: in hundredths of a second since
// boot (USER_HZ in time(7)).
func ticks(t time.Time) uint64 {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) // cannot fail
	return uint64(max(0, now.Nano()-int64(time.Since(t))) / int64(10*time.Millisecond))
}
