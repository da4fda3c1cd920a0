package svlog

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"svinit/services/epoll"
)

// Stream is where a line came from and goes to.
type Stream uint8

const (
	Stdout Stream = iota
	Stderr
	streams
)

const (
	// readSize is what one read takes at most: what a pipe holds (pipe(7)).
	// More, and larger pipes, were tried and are slower: 64 KiB fit into the
	// processor's cache.
	readSize = 64 << 10
	// flushSize is what is gathered at most before it is written, and a line
	// more.
	flushSize = 64 << 10
	// turn is how often one service is read before the others have theirs.
	turn = 8
)

// Mux reads many pipes and writes their lines to two descriptors.
type Mux struct {
	// Errors, unless it is nil, is shown what goes to standard error, and
	// whether a line of svinit's own is among it. Run calls it; it must not wait
	// nor keep the lines. It is set before Run.
	Errors func(lines []byte, own bool)

	format Format
	outs   [streams]output
	set    *epoll.Set
	done   chan struct{}

	voice int           // the write end of the pipe for our own lines
	muted atomic.Uint64 // those that found it full

	// What follows belongs to the goroutine in Run.
	buf      []byte
	partial  map[*source]struct{} // those that hold a part of a line
	flooded  []*source            // those that epoll does not watch, see flood.go
	busy     bool                 // a look at them found much
	spoke    bool                 // lines of our own have been gathered
	stopping bool
}

// New returns a Mux that writes to the descriptors out and errs, which it
// neither closes nor changes. Errors: those of pipe2(2) and epoll.
func New(format Format, out, errs int) (*Mux, error) {
	set, err := epoll.New()
	if err != nil {
		return nil, err
	}
	m := &Mux{
		format:  format,
		set:     set,
		done:    make(chan struct{}),
		partial: make(map[*source]struct{}),
	}
	m.outs[Stdout] = output{fd: out, name: "standard output"}
	m.outs[Stderr] = output{fd: errs, name: "standard error"}
	if m.voice, err = m.pipe(&source{stream: Stderr, voice: true}); err != nil {
		set.Close()
		return nil, err
	}
	return m, nil
}

// Pipe makes a pipe whose lines are labelled with label and go to stream. The
// caller gives its write end w, which is blocking and close-on-exec, to a
// process and closes its own; the end of the pipe is found by itself. Errors:
// those of pipe2(2) and epoll_ctl(2).
func (m *Mux) Pipe(label string, stream Stream) (w int, err error) {
	first, more := m.format.labels(label)
	return m.pipe(&source{stream: stream, first: first, more: more})
}

func (m *Mux) pipe(s *source) (w int, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return -1, fmt.Errorf("make a pipe for the output: %w", err)
	}
	s.fd = p[0]
	if !s.voice { // its writer waits, ours does not
		_, err = unix.FcntlInt(uintptr(p[1]), unix.F_SETFL, 0)
	}
	if err == nil {
		err = m.watch(s)
	}
	if err != nil {
		unix.Close(p[0])
		unix.Close(p[1])
		return -1, err
	}
	return p[1], nil
}

// Report is a [Reporter] that writes to standard error, through Run like any
// other line. When the reader has stalled so long that 64 KiB of our lines
// stand before it, the event is only counted.
func (m *Mux) Report(e Event) {
	if n := m.muted.Load(); n > 0 {
		note := Event{Level: Warning, Text: fmt.Sprintf("standard error stalled: %d lines of %s were not written", n, Prog)}
		if _, err := unix.Write(m.voice, note.AppendLine(nil, Prog)); err == nil {
			m.muted.Add(-n)
		}
	}
	if _, err := unix.Write(m.voice, e.AppendLine(nil, Prog)); err != nil {
		m.muted.Add(1)
	}
}

// Run reads and writes until Stop.
func (m *Mux) Run() {
	defer close(m.done)
	defer m.set.Close()
	for !m.stopping {
		if !m.pass() {
			return
		}
	}
	for m.set.Poll() > 0 || len(m.flooded) > 0 {
		if len(m.flooded) > 0 {
			m.look()
		}
		m.flush()
	}
	for s := range m.partial {
		m.endLine(s)
	}
	m.flush()
}

// pass waits for lines and passes them on. It reports whether to go on. A
// panic costs no more than what was being passed on.
func (m *Mux) pass() (more bool) {
	defer func() {
		if p := recover(); p != nil {
			m.Report(Event{Level: Warning, Text: fmt.Sprintf("unable to pass on some output: a bug of %s: %v%s", Prog, p, debug.Stack())})
			more = true
		}
	}()
	if len(m.flooded) > 0 {
		m.set.Poll()
		m.look()
	} else if m.set.Wait() != nil {
		return false
	}
	m.flush()
	return true
}

// Stop makes Run write what is still in the pipes, end unfinished lines, and
// return. No process may be left that writes, or its last lines may be
// missing. The channel is closed when all is written.
func (m *Mux) Stop() <-chan struct{} {
	unix.Close(m.voice)
	return m.done
}

// flush writes what has been gathered.
func (m *Mux) flush() {
	for i := range m.outs {
		if o := &m.outs[i]; len(o.buf) > 0 {
			m.write(o)
		}
	}
}

// write writes one output, and says on the other, once, when that fails: a
// closed output must not stop the services.
func (m *Mux) write(o *output) {
	if m.Errors != nil && o == &m.outs[Stderr] {
		m.Errors(o.buf, m.spoke)
		m.spoke = false
	}
	err := o.write()
	if err != nil && !o.broken {
		other := &m.outs[Stderr]
		if o == other {
			other = &m.outs[Stdout]
		}
		e := Event{Level: Warning, Text: fmt.Sprintf("unable to write to %s: %v; its lines are lost until that is mended", o.name, err)}
		other.buf = e.AppendLine(other.buf, Prog)
	}
	o.broken = err != nil
}
