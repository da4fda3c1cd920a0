package filter

import (
	"bytes"
	"time"

	"svinit/cmd/internal/applet"
	"svinit/services/tai64n"
)

// Tai64n is tai64n(8). Arguments are ignored, as by daemontools.
var Tai64n = applet.Command{
	Name:     "tai64n",
	Synopsis: "tai64n",
	Summary:  "put a precise time stamp on every line",
	Section:  8,
	Help: `Copies standard input to standard output, with the time at which the first byte
of each line was read in front of it: @, 24 hexadecimal digits, and a space.
tai64nlocal makes these readable.
`,
	Run: runTai64n,
}

func runTai64n(e *applet.Env) error { return pump(e, &stamper{lineStart: true, now: time.Now}) }

// stamper labels lines. It reads the clock once for each rewrite in which a line
// begins: all these lines were read at the same time.
type stamper struct {
	lineStart bool // the next byte is the first of a line
	now       func() time.Time
	last      time.Time
	label     []byte // of last, and a space
}

func (s *stamper) rewrite(out, in []byte) ([]byte, int) {
	haveTime := false
	for len(in) > 0 {
		if s.lineStart {
			if !haveTime {
				s.readClock()
				haveTime = true
			}
			out = append(out, s.label...)
		}
		i := bytes.IndexByte(in, '\n')
		if s.lineStart = i >= 0; !s.lineStart {
			return append(out, in...), 0
		}
		out = append(out, in[:i+1]...)
		in = in[i+1:]
	}
	return out, 0
}

// maxStepBack is how far the clock may be set back before labels go back too.
const maxStepBack = time.Second

// readClock sets the label to the current time. Labels do not go backwards when
// the clock is set back by less than maxStepBack, as NTP does; after a larger step
// they follow the clock.
func (s *stamper) readClock() {
	// Round strips the monotonic reading: labels are wall clock times.
	now := s.now().Round(0)
	if back := s.last.Sub(now); back > 0 && back < maxStepBack {
		now = s.last
	}
	s.last = now
	s.label = append(tai64n.AppendText(s.label[:0], now), ' ')
}
