package svlog

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"
)

// MaxLine is the longest line in bytes, its newline not counted, that is
// passed on in one piece.
const MaxLine = 64 << 10

// keepHeld is the largest buffer that a source keeps once its line is whole.
const keepHeld = 4 << 10

// origin is whose lines come through a pipe.
type origin struct {
	service string
	stream  Stream
}

// source is one pipe that is read.
type source struct {
	origin
	fd        int
	own       bool // svinit's own lines; the end of this pipe ends Run
	continued bool // the line that is being read has been passed on in part
	format    *format
	held      []byte // the beginning of a line whose end has not come
	rate      rate
	sharing   sharing
}

// read reads a source that epoll reports as readable.
func (m *Mux) read(s *source) {
	switch n := m.drain(s); {
	case n < 0:
		m.set.Remove(s.fd)
		m.end(s)
	case n > 0 && s.rate.isBusy(time.Now()):
		m.setBusy(s)
	}
}

// drain passes on what is in the pipe, with a limit, so that a service that
// writes without pause does not keep the others waiting. It returns the number
// of bytes, and -1 at the end of the input.
func (m *Mux) drain(s *source) (total int) {
	if m.buf == nil {
		m.buf = make([]byte, readSize)
	}
	for range maxReads {
		n, begun, end := m.pipes.read(s, m.buf)
		switch {
		case end:
			return -1
		case n == 0:
			return total
		}
		total += n
		m.ownLines = m.ownLines || s.own
		m.splitProcesses(s, m.buf[:n], begun)
		if n < readSize/2 {
			return total // the pipe is empty, or nearly
		}
	}
	return total
}

// end forgets a source that no process can write to any more.
func (m *Mux) end(s *source) {
	unix.Close(s.fd)
	m.endLine(s)
	m.stopping = m.stopping || s.own
}

// begin prepares m.line for lines of s that end now.
func (m *Mux) begin(s *source) {
	m.line = Line{Service: s.service, Stream: s.stream}
	if s.format.timed {
		m.line.Time = time.Now()
	}
}

// split passes on the whole lines in b and holds what follows the last.
func (m *Mux) split(s *source, b []byte) {
	m.begin(s)
	if len(s.held) == 0 && !s.continued {
		b = m.emitWhole(s, b)
	}
	for len(b) > 0 {
		line, rest, whole := bytes.Cut(b, newline)
		b = rest
		for len(s.held)+len(line) > MaxLine {
			n := MaxLine - len(s.held)
			m.emit(s, line[:n])
			s.continued = true
			line = line[n:]
		}
		if whole {
			m.emit(s, line)
			s.continued = false
			b = m.emitWhole(s, b)
		} else {
			s.held = append(s.held, line...)
			m.partial[s] = struct{}{}
		}
	}
}

var newline = []byte{'\n'}

// emitWhole passes on the lines at the beginning of b that are whole and not
// too long, and returns the rest. Nearly all lines take this way.
func (m *Mux) emitWhole(s *source, b []byte) []byte {
	o, l := &m.outs[s.stream], &m.line
	l.Text, l.Continued = nil, false
	if s.format.verbatim {
		return m.emitVerbatim(s, s.format.append(m.head[:0], l), b)
	}
	for {
		n := bytes.IndexByte(b, '\n')
		if n < 0 || n >= MaxLine {
			return b
		}
		l.Text = b[:n]
		o.buf = s.format.append(o.buf, l)
		b = b[n+1:]
		if len(o.buf) >= flushSize {
			m.write(s.stream)
		}
	}
}

// emitVerbatim is emitWhole for a format that is verbatim, with what it appends
// for an empty line. A call of the format for each line would make it up to a
// fifth slower.
func (m *Mux) emitVerbatim(s *source, empty, b []byte) []byte {
	o := &m.outs[s.stream]
	m.head = empty
	head := empty[:len(empty)-1] // without the newline
	buf := o.buf
	for {
		n := bytes.IndexByte(b, '\n') + 1
		if n == 0 || n > MaxLine {
			break
		}
		buf = append(append(buf, head...), b[:n]...)
		b = b[n:]
		if len(buf) >= flushSize {
			o.buf = buf
			m.write(s.stream)
			buf = o.buf
		}
	}
	o.buf = buf
	return b
}

// endLine passes on a last line that has no newline.
func (m *Mux) endLine(s *source) {
	if len(s.held) > 0 {
		m.begin(s)
		m.emit(s, nil)
	}
}

// emit passes on what is held and text as one line.
func (m *Mux) emit(s *source, text []byte) {
	o, l := &m.outs[s.stream], &m.line
	l.Text, l.Continued = text, s.continued
	if len(s.held) > 0 {
		s.held = append(s.held, text...)
		l.Text = s.held
	}
	o.buf = s.format.append(o.buf, l)
	if len(s.held) > 0 {
		if s.held = s.held[:0]; cap(s.held) > keepHeld {
			s.held = nil
		}
		delete(m.partial, s)
	}
	l.Text = nil
	if len(o.buf) >= flushSize {
		m.write(s.stream)
	}
}
