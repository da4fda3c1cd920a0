package svlog

import (
	"fmt"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// pipes is the pipes that services write to.
//
// Each process of a service gets new ones. A pipe stays open while it holds
// unread lines, because the reader of our output stalls, or while a process in
// the background still has it. So that a service that crashes again and again
// does not use up all descriptors, only the last maxOpen pipes of one origin stay:
// a further process shares the newest. There it waits when the pipe is full, and
// an unfinished line of its predecessor ends where its own output begins.
type pipes struct {
	// mu guards newest and the sharing of all sources, between Run and those who
	// start processes. Nothing under it can block.
	mu     sync.Mutex
	newest map[origin]*source
}

const (
	maxOpen = 2
	// maxUnshared is how many pipes of one origin stay open where they cannot be
	// shared, since that needs /proc.
	maxUnshared = 8
	// maxStarts is how many beginnings of processes in one pipe are known.
	maxStarts = 1024
)

// sharing is what a source needs to be shared by several processes.
type sharing struct {
	older    *source // of the same origin
	read     int64   // bytes so far
	starts   []int64 // the values of read at which the output of a further process begins
	reported bool
}

// Pipe makes a pipe whose lines belong to a service, which it names as
// [Printable] does, and go to stream. The caller passes its write end w, which
// is blocking and close-on-exec, to a process and closes its own copy. The Mux
// closes the read end when no process has the write end any more. Where two pipes
// of the service and stream are still open, w is a new open file of the newer one. Errors:
// those of pipe2(2) and epoll_ctl(2), and of open(2) for /proc/self/fd.
func (m *Mux) Pipe(service string, stream Stream) (w int, err error) {
	m.pipes.mu.Lock()
	defer m.pipes.mu.Unlock()
	of := origin{service, stream}
	newest := m.pipes.newest[of]
	if open := newest.count(); open >= maxOpen {
		behind := newest.behind()
		if w, err = newest.share(); err == nil {
			m.reportSharing(newest, behind)
			return w, nil
		}
		if open >= maxUnshared {
			return -1, fmt.Errorf("%d pipes of its earlier processes are open, and unable to share one: %w", open, err)
		}
	}
	s := &source{origin: of, format: m.services}
	s.sharing.older = newest
	if w, err = m.pipe(s); err == nil {
		m.pipes.newest[of] = s
	}
	return w, err
}

// pipe makes a pipe for a source and returns its write end.
func (m *Mux) pipe(s *source) (w int, err error) {
	r, w, err := NewPipe()
	if err != nil {
		return -1, fmt.Errorf("make a pipe for the output: %w", err)
	}
	s.fd = r
	err = unix.SetNonblock(r, true)
	if s.own && err == nil { // a service waits while its pipe is full, svinit does not
		err = unix.SetNonblock(w, true)
	}
	if err == nil {
		err = m.watch(s)
	}
	if err != nil {
		unix.Close(r)
		unix.Close(w)
		return -1, err
	}
	return w, nil
}

// count returns how many sources of one origin there are.
func (s *source) count() (n int) {
	for ; s != nil; s = s.sharing.older {
		n++
	}
	return n
}

// share returns a new write end of the pipe of a source, for a further process.
func (s *source) share() (w int, err error) {
	w, err = unix.Open("/proc/self/fd/"+strconv.Itoa(s.fd), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	p := &s.sharing
	start := p.read + int64(s.unread())
	if n := len(p.starts); n < maxStarts && (n == 0 || p.starts[n-1] != start) {
		p.starts = append(p.starts, start)
	}
	return w, nil
}

// unread returns how many bytes the pipe holds.
func (s *source) unread() int {
	n, _ := unix.IoctlGetInt(s.fd, unix.TIOCINQ)
	return n
}

// behind reports whether we have not read everything from a source, not even its
// end.
func (s *source) behind() bool {
	p := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	n, _ := unix.Poll(p, 0)
	return n > 0
}

// reportSharing reports once for each service why a pipe is shared: we are
// behind, because our reader stalls, or processes have it open.
func (m *Mux) reportSharing(s *source, behind bool) {
	reported := false
	for stream := range streams {
		if newest := m.pipes.newest[origin{s.service, stream}]; newest != nil {
			reported = reported || newest.sharing.reported
		}
	}
	s.sharing.reported = true
	if reported {
		return
	}
	text := "unable to close the output of earlier processes of " + s.service + ": processes that they left in the background hold it open; later ones share it"
	if behind {
		stream := s.stream
		if writing := m.writing.Load(); writing != 0 {
			stream = Stream(writing - 1)
		}
		text = fmt.Sprintf("unable to pass on the output of %s: nobody reads our %s; its processes share a pipe and wait when it is full", s.service, m.outs[stream].name)
	}
	m.Report(Event{Level: Warning, Text: text})
}

// read reads from a source into b. begun are the beginnings of processes in what
// was read. At the end of the input, after which no process shares the pipe any
// more, it forgets the source.
func (p *pipes) read(s *source, b []byte) (n int, begun []int64, end bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := unix.Read(s.fd, b)
	switch {
	case err == unix.EINTR || err == unix.EAGAIN:
		return 0, nil, false
	case err != nil || n == 0: // read(2) has no other error for a pipe
		p.remove(s)
		return 0, nil, true
	}
	sh := &s.sharing
	sh.read += int64(n)
	later := slices.IndexFunc(sh.starts, func(start int64) bool { return start > sh.read })
	if later < 0 {
		later = len(sh.starts)
	}
	begun, sh.starts = sh.starts[:later], sh.starts[later:]
	return n, begun, false
}

// remove forgets a source.
func (p *pipes) remove(s *source) {
	newest := p.newest[s.origin]
	switch {
	case newest == s && s.sharing.older == nil:
		delete(p.newest, s.origin)
	case newest == s:
		p.newest[s.origin] = s.sharing.older
	default: // svinit's own source is not here
		for ; newest != nil; newest = newest.sharing.older {
			if newest.sharing.older == s {
				newest.sharing.older = s.sharing.older
			}
		}
	}
}

// splitProcesses is split for the last bytes that were read, b, in which the
// output of further processes begins.
func (m *Mux) splitProcesses(s *source, b []byte, begun []int64) {
	for _, start := range begun {
		n := len(b) - int(s.sharing.read-start)
		m.split(s, b[:n])
		m.endLine(s)
		s.continued = false
		b = b[n:]
	}
	m.split(s, b)
}
