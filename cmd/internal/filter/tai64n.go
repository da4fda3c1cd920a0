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
	Run: stamp,
}

func stamp(e *applet.Env) error { return pump(e, &stamper{fresh: true, now: time.Now}) }

// stamper labels lines. The clock is read once for each rewrite in which a line
// begins: all these lines have been read at that time.
type stamper struct {
	fresh bool // the next byte is the first of a line
	now   func() time.Time
	last  time.Time
	label []byte // of last, and a space
}

func (s *stamper) rewrite(out, in []byte) ([]byte, int) {
	timely := false
	for len(in) > 0 {
		if s.fresh {
			if !timely {
				s.look()
				timely = true
			}
			out = append(out, s.label...)
		}
		i := bytes.IndexByte(in, '\n')
		if s.fresh = i >= 0; !s.fresh {
			return append(out, in...), 0
		}
		out = append(out, in[:i+1]...)
		in = in[i+1:]
	}
	return out, 0
}

// slewed is the most by which the clock may be set back unnoticed.
const slewed = time.Second

// look reads the clock. Labels do not go backwards when the clock is set back
// a little, as it is to follow a time server; a clock that was an hour ahead is
// believed to have been wrong.
func (s *stamper) look() {
	// Without the monotonic reading: it is not what labels tell.
	now := s.now().Round(0)
	if back := s.last.Sub(now); back > 0 && back < slewed {
		now = s.last
	}
	s.last = now
	s.label = append(tai64n.AppendText(s.label[:0], now), ' ')
}
