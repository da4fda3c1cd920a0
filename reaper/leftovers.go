package reaper

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// SignalOrphans signals what is left of those that have gone: every process
// that is ours to signal, but for those that Start started and their sessions.
// Ours to signal are, as PID 1, all in our namespace, otherwise our
// descendants alone, never another process of a namespace that we share.
// Nothing can be done, and nothing is, without a readable /proc.
func (r *Reaper) SignalOrphans(sig syscall.Signal) {
	procs, err := readProcs()
	if err == nil {
		procs.signal(sig, func(pid, session int) bool { return !r.Started(pid) && !r.Started(session) })
	}
}

// SignalAll signals every process that is ours to signal.
func (r *Reaper) SignalAll(sig syscall.Signal) {
	procs, err := readProcs()
	if err == nil {
		procs.signal(sig, func(int, int) bool { return true })
	} else if os.Getpid() == 1 {
		// The kernel knows who is in our namespace, though not who is whose
		// child.
		unix.Kill(-1, sig)
	}
}

// signal signals those that are ours to signal and chosen.
func (ps procs) signal(sig syscall.Signal, chosen func(pid, session int) bool) {
	self := os.Getpid()
	for pid, p := range ps {
		if pid != self && (self == 1 || ps.descends(pid, self)) && chosen(pid, p.session) {
			signalExactly(pid, sig, func(now proc) bool { return now.start == p.start })
		}
	}
}

// signalExactly signals pid if it is still the process that same recognizes:
// a pid that is not a child of ours can change hands at any time, a pidfd
// cannot.
func signalExactly(pid int, sig syscall.Signal, same func(proc) bool) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ENOSYS || err == unix.EPERM { // an old kernel, or a seccomp profile
		if p, err := readProc(pid); err == nil && same(p) {
			unix.Kill(pid, sig)
		}
		return
	}
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if p, err := readProc(pid); err == nil && same(p) {
		unix.PidfdSendSignal(fd, sig, nil, 0)
	}
}

// proc is what /proc/PID/stat says of a process.
type proc struct {
	parent, session int
	start           string // clock ticks after boot: with the pid, its identity
}

type procs map[int]proc

// descends reports whether pid is a descendant of ancestor.
func (ps procs) descends(pid, ancestor int) bool {
	for range len(ps) {
		p, ok := ps[pid]
		if !ok {
			return false
		}
		if p.parent == ancestor {
			return true
		}
		pid = p.parent
	}
	return false
}

func readProcs() (procs, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	ps := make(procs)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if p, err := readProc(pid); err == nil {
				ps[pid] = p
			}
		}
	}
	if len(ps) == 0 {
		return nil, os.ErrNotExist
	}
	return ps, nil
}

// readProc reads /proc/PID/stat (proc_pid_stat(5)): "pid (comm) state ppid
// pgrp session …", the 22nd field being the start. comm can hold anything, so
// the fields are counted from the last parenthesis.
func readProc(pid int) (proc, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return proc{}, err
	}
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 20 {
		return proc{}, os.ErrInvalid
	}
	parent, _ := strconv.Atoi(string(f[1]))
	session, _ := strconv.Atoi(string(f[3]))
	return proc{parent, session, string(f[19])}, nil
}
