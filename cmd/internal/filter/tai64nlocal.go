package filter

import (
	"bytes"

	"svinit/cmd/internal/applet"
	"svinit/services/tai64n"
)

// Tai64nlocal is tai64nlocal(8). Arguments are ignored, as by daemontools.
var Tai64nlocal = applet.Command{
	Name:     "tai64nlocal",
	Synopsis: "tai64nlocal",
	Summary:  "make the time stamps of tai64n readable",
	Section:  8,
	Help: `Copies standard input to standard output. A label of tai64n at the beginning of a
line becomes the local time, as in 2026-11-23 14:05:09.123456789; the environment
variable TZ sets the time zone. Lines without a label are copied unchanged.
`,
	Run: runTai64nlocal,
}

func runTai64nlocal(e *applet.Env) error {
	return pump(e, &localizer{lineStart: true, clock: newClock(loadZone(e))})
}

// localizer makes labels readable.
type localizer struct {
	lineStart bool // the next byte is the first of a line
	clock     *clock
}

func (l *localizer) rewrite(out, in []byte) ([]byte, int) {
	for len(in) > 0 {
		if l.lineStart && in[0] == '@' {
			seconds, nanos, n := tai64n.Digits(in[1:])
			if n+1 == len(in) && len(in) < readSize {
				return out, len(in) // more digits may come
			}
			// More digits than a buffer holds are not a label.
			if n+1 < len(in) {
				if grown, ok := l.clock.appendTime(out, seconds, nanos); ok {
					out, in = grown, in[n+1:]
				}
			}
		}
		i := bytes.IndexByte(in, '\n')
		if l.lineStart = i >= 0; !l.lineStart {
			return append(out, in...), 0
		}
		out = append(out, in[:i+1]...)
		in = in[i+1:]
	}
	return out, 0
}
