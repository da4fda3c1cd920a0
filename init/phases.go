package pid1

import (
	"strconv"
	"strings"
	"time"

	"svinit/services/svlog"
)

// phase is a step of the shutdown: what it begins with, what ends it, and what
// is done when its time is up. It ends at once when its work is done.
type phase struct {
	begin func()
	over  func() <-chan struct{}
	early bool   // its time is up when three quarters of the whole have passed
	brief bool   // it has a quarter of the whole, and no time after the deadline
	late  func() // nil: stop waiting
}

// phases is the shutdown of a supervisor, in order. Orphans, such as what a
// service has put into the background, may hold the pipe of a logger open, so
// they get TERM while the loggers read the rest of their input.
func (s *supervisor) phases() []phase {
	return []phase{
		{
			begin: s.set.Stop,
			over:  s.set.Down,
			late:  s.set.Kill,
		},
		s.awaitFilters(),
		{
			begin: s.stopOrphans,
			over:  s.set.Done,
			early: true,
			late:  s.set.TermLoggers,
		},
		{
			begin: func() {},
			over:  s.set.Done,
			late:  func() { s.killOrphans(); s.set.KillLoggers() },
		},
		{
			begin: func() { s.title.end(); s.drain() },
			over:  s.drained,
			late:  s.killAll,
		},
		{
			begin: func() { s.written = s.log.Stop() },
			over:  func() <-chan struct{} { return s.written },
		},
	}
}

// phases is the shutdown of a plain init: only orphans are left.
func (p *plainInit) phases() []phase {
	return []phase{p.awaitFilters(), {begin: p.drain, over: p.drained, late: p.killAll}}
}

// awaitFilters is the phase in which the filters of a main program's pipeline
// write the rest of its output. They end by themselves, since nobody writes to
// them any more, and would lose it at TERM.
func (p *plainInit) awaitFilters() phase {
	ended := closed
	return phase{
		begin: func() {
			if !p.conf.LeaveOrphans {
				ended = p.Reaper.StopOrphansButFilters()
			}
		},
		over:  func() <-chan struct{} { return ended },
		brief: true,
		late:  p.stopOrphans,
	}
}

// drain makes the reaper start nothing any more, and stops orphaned processes.
func (p *plainInit) drain() {
	p.Reaper.Drain()
	p.stopOrphans()
}

// drained is closed when no process is left that we wait for.
func (p *plainInit) drained() <-chan struct{} {
	if p.conf.LeaveOrphans {
		return closed
	}
	return p.Reaper.Drained()
}

func (p *plainInit) stopOrphans() {
	if !p.conf.LeaveOrphans {
		p.Reaper.StopOrphans()
	}
}

func (p *plainInit) killOrphans() {
	if !p.conf.LeaveOrphans {
		p.Reaper.KillOrphans()
	}
}

// killAll kills every process that is left, and reports which.
func (p *plainInit) killAll() {
	if left := p.Reaper.Leftovers(); len(left) > 0 {
		p.report(svlog.Event{Level: svlog.Warning, Text: "unable to stop orphaned processes in time: killing " + enumerate(left)})
	}
	p.Reaper.KillAll()
}

// closed is the end of what need not be waited for.
var closed = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// grace is the least time that a phase has after the deadline, and the time in
// which killed processes have to be gone, which depends on the kernel alone. So
// all phases together end at most two seconds after the deadline: before
// Docker's ten, with the default of eight.
const grace = 250 * time.Millisecond

// stop runs the shutdown. It always ends: each phase has its time, and what
// survives KILL is left to the kernel, which ends it with PID 1.
func (p *plainInit) stop(phases []phase) {
	p.Reaper.Refused = func(process string, err error) { p.report(svlog.Unable("signal", process, err)) }
	timeout := p.stopTimeout()
	deadline := time.Now().Add(timeout)
	hurry, first := false, true
	for _, ph := range phases {
		ph.begin()
		left := time.Until(deadline)
		if ph.early {
			left -= timeout / 4
		}
		if ph.brief {
			left = min(left, timeout/4)
		}
		if hurry {
			left = 0
		}
		if !ph.brief {
			if !first && (!hurry || ph.late == nil) {
				left = max(left, grace)
			}
			first = false
		}
		timer := time.NewTimer(left)
		for late := ph.late; ; {
			select {
			case <-ph.over():
			case sig := <-p.Signals():
				if hurries(p.conf.Signals.Translate(sig.Number)) && p.lastStop.again(sig.PID, timeout) && !hurry && ph.late != nil {
					hurry = true
					timer.Reset(0)
				}
				continue
			case <-timer.C:
				if late != nil {
					late()
					late = nil
					if !ph.brief {
						timer.Reset(grace)
						continue
					}
				}
			}
			break
		}
		timer.Stop()
	}
}

func (p *plainInit) stopTimeout() time.Duration { return time.Duration(p.conf.StopTimeout) }

// enumerate lists the first few.
func enumerate(names []string) string {
	const few = 5
	if more := len(names) - few; more > 0 {
		return strings.Join(names[:few], ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return strings.Join(names, ", ")
}
