package svlog

import (
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/epoll"
)

// Epoll wakes us for every single write to a pipe, which for lines that are
// written one by one takes longer than all the rest. So we do what drivers of
// network cards do under load (NAPI): a pipe that has been read some times in
// quick succession is busy. It is removed from epoll and read at an interval,
// until it has been found empty some times. An idle pipe is not polled.
const (
	quick        = 200 * time.Microsecond // reads at most so far apart are in quick succession
	busyAfter    = 8                      // reads in quick succession
	idleAfter    = 4                      // reads that find a busy pipe empty
	pollInterval = 100 * time.Microsecond
)

// rate is how often one source has been read lately.
type rate struct {
	last  time.Time // of the last read from epoll that found something
	quick int       // reads in quick succession, while epoll watches the source
	empty int       // reads in a row that found nothing, while it is busy
}

// isBusy counts a read at the time now, and reports whether the source is busy.
func (r *rate) isBusy(now time.Time) bool {
	if now.Sub(r.last) > quick {
		r.quick = 0
	}
	r.last = now
	r.quick++
	return r.quick >= busyAfter
}

// setBusy moves a source from epoll to those that pollBusy reads.
func (m *Mux) setBusy(s *source) {
	m.set.Remove(s.fd)
	s.rate = rate{}
	m.busy = append(m.busy, s)
}

// pollBusy reads the busy sources. It first waits for the interval, unless the
// last time found much.
func (m *Mux) pollBusy() {
	if !m.foundMuch {
		ts := unix.NsecToTimespec(int64(pollInterval))
		unix.Nanosleep(&ts, nil)
	}
	m.foundMuch = false
	keep := m.busy[:0]
	for _, s := range m.busy {
		n := m.drain(s)
		m.foundMuch = m.foundMuch || n >= readSize/2
		s.rate.empty++
		if n > 0 {
			s.rate.empty = 0
		}
		switch {
		case n < 0:
			m.end(s)
		case s.rate.empty >= idleAfter:
			if m.watch(s) != nil { // the kernel has no memory for it: go on polling
				keep = append(keep, s)
			}
		default:
			keep = append(keep, s)
		}
	}
	clear(m.busy[len(keep):])
	m.busy = keep
}

// watch adds a source to the epoll set.
func (m *Mux) watch(s *source) error {
	return m.set.Add(s.fd, epoll.Level, func() { m.read(s) })
}
