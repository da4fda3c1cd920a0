package reaper

import (
	"os"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/reaper/proc"
)

// StopOrphans sends TERM, once, to what is left of those that have gone: every
// process that is ours to signal, but for those that Start started, their
// descendants and their sessions. CONT follows, as after any stop signal.
//
// Ours to signal are, as PID 1, all in our namespace, otherwise our
// descendants alone, never another process of a namespace that we share.
// Without a /proc of our namespace nothing can be done, and nothing is, except
// by PID 1 when it has none left of its own: then it has no need to look. Nor is
// /proc read when we have no child at all: then there are no descendants, and
// who came into our namespace from outside (docker exec) is not waited for.
func (r *Reaper) StopOrphans() {
	if childless() {
		return
	}
	ps := readProcs()
	if ps == nil && os.Getpid() == 1 && len(r.Started()) == 0 {
		unix.Kill(-1, syscall.SIGTERM)
		unix.Kill(-1, syscall.SIGCONT)
	}
	for pid, p := range r.strays(ps) {
		r.term(pid, p)
	}
	r.mu.Lock()
	draining := r.draining
	r.mu.Unlock()
	if draining {
		r.checkDrained()
	}
}

// Leftovers returns the names and pids of what KillAll would kill, as in
// "sh (pid 7)".
func (r *Reaper) Leftovers() (names []string) {
	for pid, p := range readProcs().ours() {
		if refuses(pid) {
			continue
		}
		names = append(names, p.Name+" (pid "+strconv.Itoa(pid)+")")
	}
	slices.Sort(names)
	return names
}

// KillOrphans kills what StopOrphans would stop.
func (r *Reaper) KillOrphans() {
	if childless() {
		return
	}
	for pid, p := range r.strays(readProcs()) {
		signalExactly(pid, p, syscall.SIGKILL)
	}
}

// KillAll kills every process that is ours to signal, as often as it takes
// while they go on forking, within reason.
func (r *Reaper) KillAll() {
	if os.Getpid() == 1 {
		unix.Kill(-1, syscall.SIGKILL) // all in our namespace, at one stroke
		return
	}
	for range 10 {
		left := false
		for pid, p := range readProcs().ours() {
			if signalExactly(pid, p, syscall.SIGKILL) != unix.EPERM {
				left = true
			}
		}
		if !left {
			return
		}
	}
}

// strays returns those of ours that are none of the started ones' own.
func (r *Reaper) strays(ps procs) procs {
	started := r.Started()
	found := ps.ours()
	for pid, p := range found {
		if started[pid] || started[p.Session] || ps.descends(pid, started) {
			delete(found, pid)
		}
	}
	return found
}

// ours returns the processes that are ours to signal.
func (ps procs) ours() procs {
	self := os.Getpid()
	found := make(procs)
	for pid, p := range ps {
		if pid != self && p.State != 'Z' && (self == 1 || ps.descends(pid, map[int]bool{self: true})) {
			found[pid] = p
		}
	}
	return found
}

// signalExactly sends signals to pid if it is still the process p: a pid that
// is not a child of ours can change hands at any time, a pidfd cannot. Errors:
// those of the first signal.
func signalExactly(pid int, p proc.Process, sigs ...syscall.Signal) (err error) {
	fd, err := unix.PidfdOpen(pid, 0)
	send := func(sig syscall.Signal) error { return unix.PidfdSendSignal(fd, sig, nil, 0) }
	if err == unix.ENOSYS || err == unix.EPERM { // an old kernel, or a seccomp profile
		send = func(sig syscall.Signal) error { return unix.Kill(pid, sig) }
	} else if err != nil {
		return err
	} else {
		defer unix.Close(fd)
	}
	if now, err := proc.Read(pid); err != nil || now.Start != p.Start {
		return err
	}
	err = nil
	for _, sig := range sigs {
		if e := send(sig); err == nil {
			err = e
		}
	}
	return err
}

// procs is processes by their pid.
type procs map[int]proc.Process

// descends reports whether pid is a descendant of one of the ancestors.
func (ps procs) descends(pid int, ancestors map[int]bool) bool {
	for range len(ps) {
		p, ok := ps[pid]
		if !ok {
			return false
		}
		if ancestors[p.Parent] {
			return true
		}
		pid = p.Parent
	}
	return false
}

// readProcs returns all processes of our PID namespace; nil where /proc is
// missing or shows another namespace.
func readProcs() procs {
	if !proc.OwnNamespace() {
		return nil
	}
	all, err := proc.All()
	if err != nil {
		return nil
	}
	ps := make(procs, len(all))
	for _, p := range all {
		ps[p.PID] = p
	}
	return ps
}
