package svlog

import (
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/epoll"
)

// A pipe that epoll watches has its writer wake us with every single write,
// which for lines written one by one takes longer than all the rest. So we do
// as drivers of network cards do under load: after some reads in quick
// succession a pipe is taken out of epoll and looked at now and then, and when
// it has been found empty some times it goes back. At rest nothing is polled.
const (
	quick    = 200 * time.Microsecond // what follows a read so soon counts as succession
	floodAt  = 8                      // reads in succession that make a flood
	emptyAt  = 4                      // empty looks that end it
	lookEach = 100 * time.Microsecond
)

// tide is what is known of the flood of one source.
type tide struct {
	last  time.Time // of the last read that found something
	quick int       // reads in quick succession
	empty int       // empty looks
}

// rising notes a read of a pipe in epoll, and reports whether it is a flood.
func (t *tide) rising(now time.Time) bool {
	if now.Sub(t.last) > quick {
		t.quick = 0
	}
	t.last = now
	t.quick++
	return t.quick >= floodAt
}

// flood takes a source out of epoll.
func (m *Mux) flood(s *source) {
	m.set.Remove(s.fd)
	s.tide = tide{}
	m.flooded = append(m.flooded, s)
}

// look waits a moment, unless there was much to do, and reads the sources that
// are flooded.
func (m *Mux) look() {
	if !m.busy {
		ts := unix.NsecToTimespec(int64(lookEach))
		unix.Nanosleep(&ts, nil)
	}
	m.busy = false
	keep := m.flooded[:0]
	for _, s := range m.flooded {
		n := m.drain(s)
		m.busy = m.busy || n >= readSize/2
		s.tide.empty++
		if n > 0 {
			s.tide.empty = 0
		}
		switch {
		case n < 0:
			m.end(s)
		case s.tide.empty >= emptyAt:
			if m.watch(s) != nil { // no memory for it: go on looking
				keep = append(keep, s)
			}
		default:
			keep = append(keep, s)
		}
	}
	clear(m.flooded[len(keep):])
	m.flooded = keep
}

// watch has epoll watch a source.
func (m *Mux) watch(s *source) error {
	return m.set.Add(s.fd, epoll.Level, func() { m.read(s) })
}
