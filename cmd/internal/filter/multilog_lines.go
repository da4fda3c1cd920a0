package filter

import (
	"bytes"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/services/svlog/logdir"
)

// Limits of the original, which decide what patterns see and where files end.
const (
	lineSize   = 1000 // bytes of a line, with its label, that actions apply to
	stderrSize = 200  // bytes of a line that e writes
	// originalReadSize is the read size of the original, which flushes the
	// buffers of its directories before each read. We read more at once, but end
	// files where it would (see emulateReads).
	originalReadSize = 1024
)

// logger is a running multilog.
type logger struct {
	env       *applet.Env
	stamped   bool
	actions   []action
	dirs      []*logdir.Dir
	statusFDs []int // the files of = actions
	stdin     int
	waiter

	in            [readSize]byte
	line          [lineSize + 1]byte // the first lineSize bytes of the current line
	lineLen       int                // bytes of the current line in line
	overlong      bool               // the line has more bytes; actions have been applied to the first
	label         timeLabel
	originalReads int // reads of the original within this read of ours, up to the current byte
}

// run processes standard input to its end or, after TERM, to the end of the
// current line.
func (l *logger) run() {
	for {
		n := l.read()
		if n == 0 {
			break
		}
		if l.stamped {
			l.label.set(l.lastRead)
		}
		l.processInput(l.in[:n])
	}
	switch { // add a missing newline to the last line
	case l.overlong:
		l.endLine()
	case l.lineLen > 0:
		l.runActions()
		l.endLine()
	}
}

// processInput processes the bytes of one read.
func (l *logger) processInput(in []byte) {
	l.originalReads = 0
	for pos := 0; pos < len(in); {
		if l.overlong {
			pos = l.copyRest(in, pos)
			continue
		}
		if l.lineLen == 0 && l.stamped {
			l.lineLen = copy(l.line[:], l.label.next())
		}
		rest := in[pos:min(len(in), pos+lineSize-l.lineLen)]
		i := bytes.IndexByte(rest, '\n')
		if i >= 0 {
			rest = rest[:i]
		}
		l.lineLen += copy(l.line[l.lineLen:], rest)
		pos += len(rest)
		switch {
		case i >= 0:
			l.emulateReads(pos)
			pos++
			l.runActions()
			l.endLine()
		case l.lineLen == lineSize:
			l.emulateReads(pos - 1)
			l.runActions()
			l.overlong = true
		}
	}
}

// emulateReads settles the directories if the original would read, and therefore
// flush, before it could process the byte at pos.
func (l *logger) emulateReads(pos int) {
	if chunk := pos / originalReadSize; chunk != l.originalReads {
		l.originalReads = chunk
		for _, d := range l.dirs {
			d.Settle()
		}
	}
}

// copyRest copies bytes of a line behind the first lineSize, up to the next read
// of the original. It returns the position behind them.
func (l *logger) copyRest(in []byte, pos int) int {
	l.emulateReads(pos)
	rest := in[pos:min(len(in), (pos/originalReadSize+1)*originalReadSize)]
	i := bytes.IndexByte(rest, '\n')
	if i >= 0 {
		rest = rest[:i]
	}
	l.appendRest(rest)
	if i >= 0 {
		l.endLine()
		return pos + i + 1
	}
	return pos + len(rest)
}

// runActions applies the script to the line, or to its first lineSize bytes.
func (l *logger) runActions() {
	selected := true
	line := l.line[:l.lineLen]
	for i := range l.actions {
		switch a := &l.actions[i]; a.kind {
		case '+':
			selected = selected || match(a.text, line)
		case '-':
			selected = selected && !match(a.text, line)
		case 'e':
			if selected {
				l.writeStderr()
			}
		case '=':
			if selected {
				l.writeStatus(a)
			}
		case '/':
			if a.selected = selected; selected {
				a.dir.Put(line)
			}
		}
	}
}

// appendRest appends to the line in the directories for which it is selected.
func (l *logger) appendRest(b []byte) {
	for i := range l.actions {
		if a := &l.actions[i]; a.selected {
			a.dir.Rest(b)
		}
	}
}

var newline = []byte{'\n'}

// endLine writes the newline.
func (l *logger) endLine() {
	l.appendRest(newline)
	l.lineLen, l.overlong = 0, false
}

// writeStderr writes the beginning of the line to standard error, in one write.
func (l *logger) writeStderr() {
	var text [stderrSize + 4]byte
	n := copy(text[:stderrSize], l.line[:l.lineLen])
	end := "\n"
	if l.lineLen > stderrSize {
		end = "...\n"
	}
	n += copy(text[n:], end)
	l.env.Stderr.Write(text[:n])
}

// writeStatus overwrites an = file with the line, padded with newlines. The bytes
// of l.line behind the line are newlines or left from a longer line.
func (l *logger) writeStatus(a *action) {
	for i := l.lineLen; i < len(l.line) && l.line[i] != '\n'; i++ {
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
