package svlog

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/epoll"
)

// Stream is which of the two outputs of a process a line was written to, and
// which of ours it is passed on to.
type Stream uint8

const (
	Stdout Stream = iota
	Stderr
	streams
)

const (
	// readSize is the size of a read in bytes: what a pipe holds (pipe(7)).
	// More, and larger pipes, are slower: 64 KiB fit into the processor's cache.
	readSize = 64 << 10
	// flushSize is how many bytes are gathered before they are written. The last
	// line may exceed it.
	flushSize = 64 << 10
	// maxReads is how often one source is read before the others are.
	maxReads = 8
)

// Mux reads many pipes and writes their lines to two descriptors.
type Mux struct {
	// Errors, unless it is nil, is called by Run with what goes to standard
	// error, and with whether a line of svinit's own is among it. It must not
	// block, and must not keep lines. It is set before Run.
	Errors func(lines []byte, own bool)

	services, own *format // how lines of services and svinit's own are written

	outs [streams]output
	set  *epoll.Set
	done chan struct{}

	pipes   pipes
	ownPipe int           // the write end of the pipe for svinit's own lines
	dropped atomic.Uint64 // the number of own lines that found it full
	writing atomic.Uint32 // 1 + the Stream that Run writes to, and may wait for

	// The goroutine in Run owns what follows.
	buf       []byte
	line      Line                 // what a format is called with
	head      []byte               // what stands before the text of each line of one read
	partial   map[*source]struct{} // the sources that hold a part of a line
	busy      []*source            // the sources that epoll does not watch, see busy.go
	foundMuch bool                 // the last poll of the busy sources did
	ownLines  bool                 // own lines are in the output for standard error
	stopping  bool
}

// New returns a Mux that writes to the descriptors out and errs, which it
// neither closes nor changes. Errors: those of pipe2(2) and epoll.
func New(f Format, out, errs int) (*Mux, error) {
	set, err := epoll.New()
	if err != nil {
		return nil, err
	}
	m := &Mux{
		services: formats[f].services,
		own:      formats[f].own,
		set:      set,
		done:     make(chan struct{}),
		partial:  make(map[*source]struct{}),
		pipes:    pipes{newest: make(map[origin]*source)},
	}
	m.outs[Stdout] = newOutput(out, "standard output")
	m.outs[Stderr] = newOutput(errs, "standard error")
	own := &source{origin: origin{Prog, Stderr}, own: true, format: m.own}
	if m.ownPipe, err = m.pipe(own); err != nil {
		set.Close()
		return nil, err
	}
	return m, nil
}

// Report is a [Reporter] that writes to standard error, through Run like any
// other line. While the reader of standard error stalls and 64 KiB of own
// lines wait for it, events are only counted.
func (m *Mux) Report(e Event) {
	if n := m.dropped.Load(); n > 0 {
		note := Event{Level: Warning, Text: fmt.Sprintf("standard error stalled: %d lines of %s were not written", n, Prog)}
		if m.writeOwn(note) {
			m.dropped.Add(-n)
		}
	}
	if !m.writeOwn(e) {
		m.dropped.Add(1)
	}
}

// writeOwn writes an event to the pipe for own lines, from which Run reads it
// as a line of the service Prog. It reports false when the pipe is full.
func (m *Mux) writeOwn(e Event) bool {
	_, err := unix.Write(m.ownPipe, append(e.text(Prog), '\n'))
	return err == nil
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
	for m.set.Poll() > 0 || len(m.busy) > 0 {
		if len(m.busy) > 0 {
			m.pollBusy()
		}
		m.flush()
	}
	for s := range m.partial {
		m.endLine(s)
	}
	m.flush()
	for i := range m.outs {
		m.outs[i].stage.discard()
	}
}

// pass waits for lines and passes them on. It reports whether to go on. After
// a panic only the lines that were being passed on are lost.
func (m *Mux) pass() (more bool) {
	defer func() {
		if p := recover(); p != nil {
			m.Report(Event{Level: Warning, Text: fmt.Sprintf("unable to pass on some output: a bug of %s: %v%s", Prog, p, debug.Stack())})
			more = true
		}
	}()
	if len(m.busy) > 0 {
		m.set.Poll()
		m.pollBusy()
	} else if m.set.Wait() != nil {
		return false
	}
	m.flush()
	return true
}

// Stop makes Run write what is still in the pipes, end unfinished lines, and
// return. What a process writes after Stop may be lost. The channel is closed
// when everything is written. Report must not be called any more.
func (m *Mux) Stop() <-chan struct{} {
	unix.Close(m.ownPipe)
	return m.done
}

// flush writes what has been gathered.
func (m *Mux) flush() {
	for stream := range streams {
		if len(m.outs[stream].buf) > 0 {
			m.write(stream)
		}
	}
}

// write writes one output. When that fails, it reports so once, on the other
// output: a closed output must not stop the services.
func (m *Mux) write(stream Stream) {
	o := &m.outs[stream]
	if m.Errors != nil && stream == Stderr {
		m.Errors(o.buf, m.ownLines)
		m.ownLines = false
	}
	m.writing.Store(1 + uint32(stream))
	err := o.write()
	m.writing.Store(0)
	if err != nil && !o.broken {
		other := &m.outs[streams-1-stream]
		e := Event{Level: Warning, Text: fmt.Sprintf("unable to write to %s: %v; its lines are lost until that works again", o.name, err)}
		other.buf = m.appendOwn(other.buf, e)
	}
	o.broken = err != nil
}

// appendOwn appends an event as Run writes it.
func (m *Mux) appendOwn(dst []byte, e Event) []byte {
	l := Line{Service: Prog, Stream: Stderr, Text: e.text(Prog)}
	if m.own.timed {
		l.Time = time.Now()
	}
	return m.own.append(dst, &l)
}
