package pid1

import (
	"strconv"
	"strings"
	"syscall"
	"time"

	"svinit/init/signals"
	"svinit/services/svlog"
)

// phase is a step of the shutdown: what is asked for, what ends it, and what
// is done when its time is up. It ends the moment that its work is done.
type phase struct {
	begin func(*system)
	over  func(*system) <-chan struct{}
	early bool          // its time ends when three quarters of the whole have passed
	late  func(*system) // nil: give up waiting
}

// shutdown is the order of a stop. Leftovers, such as what a service has put
// into the background, may hold the pipe of a logger open, so they are asked
// to end while the loggers read what is still to be read.
var shutdown = []phase{
	{
		begin: func(s *system) { s.set.Stop() },
		over:  func(s *system) <-chan struct{} { return s.set.Down() },
		late:  func(s *system) { s.set.Kill() },
	},
	{
		begin: func(s *system) {
			if !s.conf.LeaveOrphans {
				s.procs.StopOrphans()
			}
		},
		over:  func(s *system) <-chan struct{} { return s.set.Done() },
		early: true,
		late:  func(s *system) { s.set.TermLoggers() },
	},
	{
		begin: func(*system) {},
		over:  func(s *system) <-chan struct{} { return s.set.Done() },
		late: func(s *system) {
			if !s.conf.LeaveOrphans {
				s.procs.KillOrphans()
			}
			s.set.KillLoggers()
		},
	},
	leftovers,
	{
		begin: func(s *system) { s.written = s.log.Stop() },
		over:  func(s *system) <-chan struct{} { return s.written },
	},
}

// leftovers is the end of what those have left behind who have gone: all that a
// plain init has to stop.
var leftovers = phase{
	begin: func(s *system) {
		s.title.end()
		s.procs.Drain()
		if !s.conf.LeaveOrphans {
			s.procs.StopOrphans()
		}
	},
	over: func(s *system) <-chan struct{} {
		if s.conf.LeaveOrphans {
			return ended
		}
		return s.reaped
	},
	late: func(s *system) {
		if left := s.procs.Leftovers(); len(left) > 0 {
			s.report(svlog.Event{Level: svlog.Warning, Text: "unable to stop what has been left behind in time: killing " + enumerate(left)})
		}
		s.procs.KillAll()
	},
}

// ended is the end of what has nothing to wait for.
var ended = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// grace is the least that a phase gets when the deadline has passed, and how
// long what has been killed has to die, which is not up to it but to the
// kernel. All phases together thus end two seconds after the deadline at the
// latest: before Docker's ten, with the default of eight.
const grace = 250 * time.Millisecond

// stop runs the shutdown. It always ends: each phase has its time, and what
// survives KILL is left to the kernel, which ends it with us.
func (s *system) stop() {
	timeout := time.Duration(s.conf.StopTimeout)
	deadline := time.Now().Add(timeout)
	hurry := false
	phases := shutdown
	if s.set == nil {
		phases = []phase{leftovers}
	}
	for i, p := range phases {
		p.begin(s)
		left := time.Until(deadline)
		if p.early {
			left -= timeout / 4
		}
		if hurry {
			left = 0
		}
		if i > 0 && (!hurry || p.late == nil) {
			left = max(left, grace)
		}
		timer := time.NewTimer(left)
		for late := p.late; ; {
			select {
			case <-p.over(s):
			case sig := <-s.signals:
				if (sig.Number == syscall.SIGTERM || sig.Number == syscall.SIGINT) && s.again(sig) && !hurry && p.late != nil {
					hurry = true
					timer.Reset(0)
				}
				continue
			case <-timer.C:
				if late != nil {
					late(s)
					late = nil
					timer.Reset(grace)
					continue
				}
			}
			break
		}
		timer.Stop()
	}
}

// order is what somebody told us to stop by.
type order struct {
	signals.Signal
	at time.Time
}

// twice is how far apart the same order can come twice: timeout(1) signals its
// child, and then its group.
const twice = time.Second

// again notes an order to stop, and reports whether it is the second: the first
// is what brought us here, or brought the main program to its end. One that the
// main program has outlived by far was about something else.
func (s *system) again(sig signals.Signal) bool {
	first := s.order
	s.order = order{sig, time.Now()}
	since := s.order.at.Sub(first.at)
	same := sig.PID != 0 && sig.PID == first.PID && since < twice
	return !first.at.IsZero() && since < time.Duration(s.conf.StopTimeout) && !same
}

// enumerate lists the first few.
func enumerate(names []string) string {
	const few = 5
	if more := len(names) - few; more > 0 {
		return strings.Join(names[:few], ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return strings.Join(names, ", ")
}
