package filter

import (
	"bytes"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/services/svlog/logdir"
)

// Limits of the original, which decide what patterns see and where files end.
const (
	lineSize = 1000 // of a line, with its label: what is looked at
	noteSize = 200  // of a line on standard error
	// The original reads so many bytes at once, and before each read empties
	// the buffers of its directories. We read more, and only keep account.
	smallRead = 1024
	bigRead   = 64 << 10
)

// logger is a running multilog.
type logger struct {
	env     *applet.Env
	stamped bool
	actions []action
	dirs    []*logdir.Dir
	files   []int // of = actions
	stdin   int
	attention

	in    [bigRead]byte
	line  [lineSize + 1]byte // the line that is being read, and then newlines: what an = file holds
	n     int                // its length
	long  bool               // it is longer than lineSize: its beginning is done with
	label timeLabel
	chunk int // which small read the last byte was in
}

// run reads standard input to its end, or to the end of the line in which TERM
// comes.
func (l *logger) run() {
	for {
		n := l.read()
		if n == 0 {
			break
		}
		if l.stamped {
			l.label.set(l.last)
		}
		l.take(l.in[:n])
	}
	switch { // a last line without an end gets one
	case l.long:
		l.end()
	case l.n > 0:
		l.act()
		l.end()
	}
}

// take goes through what one read has brought.
func (l *logger) take(in []byte) {
	l.chunk = 0
	for pos := 0; pos < len(in); {
		if l.long {
			pos = l.copyRest(in, pos)
			continue
		}
		if l.n == 0 && l.stamped {
			l.n = copy(l.line[:], l.label.next())
		}
		rest := in[pos:min(len(in), pos+lineSize-l.n)]
		i := bytes.IndexByte(rest, '\n')
		if i >= 0 {
			rest = rest[:i]
		}
		l.n += copy(l.line[l.n:], rest)
		pos += len(rest)
		switch {
		case i >= 0:
			l.reach(pos)
			pos++
			l.act()
			l.end()
		case l.n == lineSize:
			l.reach(pos - 1)
			l.act()
			l.long = true
		}
	}
}

// reach says that the byte at pos is needed, for which the original may have
// had to read.
func (l *logger) reach(pos int) {
	if chunk := pos / smallRead; chunk != l.chunk {
		l.chunk = chunk
		for _, d := range l.dirs {
			d.Settle()
		}
	}
}

// copyRest copies what is beyond the first lineSize bytes of a line, up to the
// next small read, and returns how far it came.
func (l *logger) copyRest(in []byte, pos int) int {
	l.reach(pos)
	rest := in[pos:min(len(in), (pos/smallRead+1)*smallRead)]
	i := bytes.IndexByte(rest, '\n')
	if i >= 0 {
		rest = rest[:i]
	}
	l.put(rest)
	if i >= 0 {
		l.end()
		return pos + i + 1
	}
	return pos + len(rest)
}

// act runs the script on the line, or on its first lineSize bytes.
func (l *logger) act() {
	selected := true
	line := l.line[:l.n]
	for i := range l.actions {
		switch a := &l.actions[i]; a.kind {
		case '+':
			selected = selected || match(a.text, line)
		case '-':
			selected = selected && !match(a.text, line)
		case 'e':
			if selected {
				l.note()
			}
		case '=':
			if selected {
				l.status(a)
			}
		case '/':
			if a.selected = selected; selected {
				a.dir.Put(line)
			}
		}
	}
}

// put adds to the line in the directories that have it.
func (l *logger) put(b []byte) {
	for i := range l.actions {
		if a := &l.actions[i]; a.selected {
			a.dir.Rest(b)
		}
	}
}

var newline = []byte{'\n'}

// end ends the line.
func (l *logger) end() {
	l.put(newline)
	l.n, l.long = 0, false
}

// note writes the line's beginning to standard error, at once and in one write.
func (l *logger) note() {
	var text [noteSize + 4]byte
	n := copy(text[:noteSize], l.line[:l.n])
	end := "\n"
	if l.n > noteSize {
		end = "...\n"
	}
	n += copy(text[n:], end)
	l.env.Stderr.Write(text[:n])
}

// status writes the line over an = file, filled up with newlines.
func (l *logger) status(a *action) {
	for i := l.n; i < len(l.line) && l.line[i] != '\n'; i++ {
		l.line[i] = '\n'
	}
	for {
		what := "unable to move to beginning of " + a.text
		_, err := unix.Seek(a.fd, 0, 0)
		for b := l.line[:]; err == nil && len(b) > 0; {
			what = "unable to write " + a.text
			var w int
			if w, err = unix.Write(a.fd, b); err == nil {
				b = b[w:]
			} else if err == unix.EINTR {
				err = nil
			}
		}
		if err == nil || !l.pause(what, err) {
			return
		}
	}
}
