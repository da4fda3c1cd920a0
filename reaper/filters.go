package reaper

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/reaper/proc"
)

// filters are orphans that are about to end by themselves.
type filters struct {
	pids  map[int]bool
	ended chan struct{} // closed when none is left
}

// StopOrphansButFilters does what StopOrphans does, but spares processes that are
// likely to end by themselves, if some of these write to our output: the filters of
// a pipeline such as that of "exec > >(sed ...)" in a shell script, which still
// have to write what they have read. The channel is closed when no filter is left
// that writes to our output; where there is none, at once, and nothing is stopped.
func (r *Reaper) StopOrphansButFilters() (ended <-chan struct{}) {
	f := filters{pids: make(map[int]bool), ended: make(chan struct{})}
	if childless() {
		close(f.ended)
		return f.ended
	}
	strays := r.strays(readProcs())
	ours := ownOutputs()
	spared := make(map[int]bool)
	for pid := range strays {
		if filter, writes := ours.filter(pid); filter {
			spared[pid] = true
			if writes {
				f.pids[pid] = true
			}
		}
	}
	if len(f.pids) == 0 {
		close(f.ended)
		return f.ended
	}
	for pid, p := range strays {
		if !spared[pid] {
			r.term(pid, p)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.filters = f
	r.filters.check(0)
	return f.ended
}

// check is called when an orphan has been reaped, under Reaper.mu.
func (f *filters) check(reaped int) {
	if len(f.pids) == 0 {
		return
	}
	delete(f.pids, reaped)
	for pid := range f.pids { // one that is not our child is reaped by its parent
		if unix.Kill(pid, 0) == unix.ESRCH {
			delete(f.pids, pid)
		}
	}
	if len(f.pids) == 0 {
		close(f.ended)
	}
}

// outputs is where the output of processes may go for us to pass it on: the links
// of /proc/self/fd for our standard output and error, and for our pipes.
type outputs struct {
	stdin string
	links map[string]bool
}

func ownOutputs() outputs {
	o := outputs{links: make(map[string]bool)}
	own := proc.Descriptors(unix.Getpid())
	o.stdin = own[0]
	for fd, link := range own {
		if fd == 1 || fd == 2 || fd > 2 && strings.HasPrefix(link, "pipe:") {
			o.links[link] = true
		}
	}
	delete(o.links, "/dev/null")
	return o
}

// filter reports whether a process reads a pipe or socket that is not ours, and
// whether it writes to our output.
func (o outputs) filter(pid int) (filter, writes bool) {
	all := proc.Descriptors(pid)
	stdin := all[0]
	if stdin == "" || stdin == o.stdin || o.links[stdin] || !proc.ReadsPipe(pid) {
		return false, false
	}
	for fd, link := range all {
		if fd > 0 && o.links[link] {
			return true, true
		}
	}
	return true, false
}

// term sends TERM and CONT to an orphan, once.
func (r *Reaper) term(pid int, p proc.Process) {
	if start, ok := r.termed[pid]; !ok || start != p.Start {
		r.termed[pid] = p.Start
		err := signalExactly(pid, p, syscall.SIGTERM, syscall.SIGCONT)
		r.noteRefusal(err)
		if err == unix.EPERM && r.Refused != nil {
			r.Refused(p.Name+" ("+r.Describe(pid)+")", explainRefusal(err))
		}
	}
}
