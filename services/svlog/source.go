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

// Format is how a line is written.
type Format uint8

const (
	// Prefix writes "memcached: text".
	Prefix Format = iota
	// Raw writes the text alone.
	Raw
)

// labels returns what stands before a line, and before each further piece of
// a long one.
func (f Format) labels(name string) (first, more string) {
	if f == Raw {
		return "", "+: "
	}
	return name + ": ", name + "+: "
}

// source is one pipe that is read.
type source struct {
	fd          int
	stream      Stream
	voice       bool // our own lines, whose end ends Run
	pieces      bool // the line that is being read has been passed on in part
	first, more string
	held        []byte // the beginning of a line whose end has not come
	tide        tide
}

// read reads a source that epoll found ready.
func (m *Mux) read(s *source) {
	switch n := m.drain(s); {
	case n < 0:
		m.set.Remove(s.fd)
		m.end(s)
	case n > 0 && s.tide.rising(time.Now()):
		m.flood(s)
	}
}

// drain passes on what is in the pipe, so much at most that a chatty service
// leaves the others their turn. It returns how much, and -1 at the end.
func (m *Mux) drain(s *source) (total int) {
	if m.buf == nil {
		m.buf = make([]byte, readSize)
	}
	for range turn {
		n, err := unix.Read(s.fd, m.buf)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
			return total
		case err != nil || n == 0: // a pipe knows no other error
			return -1
		}
		total += n
		m.spoke = m.spoke || s.voice
		m.split(s, m.buf[:n])
		if n < readSize/2 {
			return total // that was all, or nearly
		}
	}
	return total
}

// end forgets a source whose writers have gone.
func (m *Mux) end(s *source) {
	unix.Close(s.fd)
	m.endLine(s)
	m.stopping = m.stopping || s.voice
}

// split passes on the whole lines in b and holds what follows the last.
func (m *Mux) split(s *source, b []byte) {
	if len(s.held) == 0 && !s.pieces {
		b = m.emitWhole(s, b)
	}
	for len(b) > 0 {
		line, rest, whole := bytes.Cut(b, newline)
		b = rest
		for len(s.held)+len(line) > MaxLine {
			n := MaxLine - len(s.held)
			m.emit(s, line[:n])
			s.pieces = true
			line = line[n:]
		}
		if whole {
			m.emit(s, line)
			s.pieces = false
			b = m.emitWhole(s, b)
		} else {
			s.held = append(s.held, line...)
			m.partial[s] = struct{}{}
		}
	}
}

var newline = []byte{'\n'}

// emitWhole passes on the lines at the beginning of b that are whole and not
// too long, which is to say nearly all there ever are, and returns the rest.
// It is where the time goes, and hence plain.
func (m *Mux) emitWhole(s *source, b []byte) []byte {
	o := &m.outs[s.stream]
	label := s.first
	for {
		n := bytes.IndexByte(b, '\n') + 1
		if n == 0 || n > MaxLine {
			return b
		}
		o.buf = append(append(o.buf, label...), b[:n]...)
		b = b[n:]
		if len(o.buf) >= flushSize {
			m.write(o)
		}
	}
}

// endLine passes on a last line that has no newline.
func (m *Mux) endLine(s *source) {
	if len(s.held) > 0 {
		m.emit(s, nil)
	}
}

// emit appends what is held and text, as one line, to the source's output.
func (m *Mux) emit(s *source, text []byte) {
	o := &m.outs[s.stream]
	label := s.first
	if s.pieces {
		label = s.more
	}
	o.buf = append(o.buf, label...)
	if len(s.held) > 0 {
		o.buf = append(o.buf, s.held...)
		if s.held = s.held[:0]; cap(s.held) > keepHeld {
			s.held = nil
		}
		delete(m.partial, s)
	}
	o.buf = append(o.buf, text...)
	o.buf = append(o.buf, '\n')
	if len(o.buf) >= flushSize {
		m.write(o)
	}
}
