package reaper

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
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
		if r.termed[pid] != p.start {
			r.termed[pid] = p.start
			signalExactly(pid, p, syscall.SIGTERM, syscall.SIGCONT)
		}
	}
}

// Leftovers returns the names and pids of what KillAll would kill, as in
// "sh (pid 7)".
func (r *Reaper) Leftovers() (names []string) {
	for pid, p := range readProcs().ours() {
		names = append(names, p.name+" (pid "+strconv.Itoa(pid)+")")
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
			left = true
			signalExactly(pid, p, syscall.SIGKILL)
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
		if started[pid] || started[p.session] || ps.descends(pid, started) {
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
		if pid != self && p.state != 'Z' && (self == 1 || ps.descends(pid, map[int]bool{self: true})) {
			found[pid] = p
		}
	}
	return found
}

// signalExactly sends signals to pid if it is still the process p: a pid that
// is not a child of ours can change hands at any time, a pidfd cannot.
func signalExactly(pid int, p proc, sigs ...syscall.Signal) {
	fd, err := unix.PidfdOpen(pid, 0)
	send := func(sig syscall.Signal) { unix.PidfdSendSignal(fd, sig, nil, 0) }
	if err == unix.ENOSYS || err == unix.EPERM { // an old kernel, or a seccomp profile
		send = func(sig syscall.Signal) { unix.Kill(pid, sig) }
	} else if err != nil {
		return
	} else {
		defer unix.Close(fd)
	}
	if now, err := readProc(pid); err == nil && now.start == p.start {
		for _, sig := range sigs {
			send(sig)
		}
	}
}

// proc is what /proc/PID/stat says of a process.
type proc struct {
	state           byte // 'Z' for a zombie
	parent, session int
	start           string // clock ticks after boot: with the pid, its identity
	name            string // of the program, made printable
}

type procs map[int]proc

// descends reports whether pid is a descendant of one of the ancestors.
func (ps procs) descends(pid int, ancestors map[int]bool) bool {
	for range len(ps) {
		p, ok := ps[pid]
		if !ok {
			return false
		}
		if ancestors[p.parent] {
			return true
		}
		pid = p.parent
	}
	return false
}

// readProcs returns all processes that /proc shows; nil where there is none, or
// where it is that of another PID namespace: its numbers are others' there.
func readProcs() procs {
	if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(os.Getpid()) {
		return nil
	}
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	ps := make(procs)
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if p, err := readProc(pid); err == nil {
				ps[pid] = p
			}
		}
	}
	return ps
}

// readProc reads /proc/PID/stat (proc_pid_stat(5)): "pid (comm) state ppid
// pgrp session …", the 22nd field being the start. comm can hold anything, so
// the fields are counted from the last parenthesis.
func readProc(pid int) (proc, error) {
	// Package os would have the Go runtime's poller try the file, for five more
	// system calls each.
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return proc{}, err
	}
	defer unix.Close(fd)
	var buf [1024]byte // 52 numbers of 20 digits at most, most far shorter
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return proc{}, err
	}
	b := buf[:n]
	begin, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	f := bytes.Fields(b[end+1:])
	if len(f) < 20 || begin > end {
		return proc{}, os.ErrInvalid
	}
	name := bytes.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, b[begin+1:end])
	parent, _ := strconv.Atoi(string(f[1]))
	session, _ := strconv.Atoi(string(f[3]))
	return proc{f[0][0], parent, session, string(f[19]), string(name)}, nil
}
