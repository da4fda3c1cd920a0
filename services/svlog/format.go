package svlog

import "time"

// Line is a line that a service, or svinit itself, has written.
type Line struct {
	// Service is the name of the service, as [Printable] returns it, and
	// "svinit" for svinit's own lines.
	Service string
	Stream  Stream
	// Time is when the end of the line was read. It is the zero time unless the
	// format needs it.
	Time time.Time
	// Text is the line without its newline. It is valid only during the call.
	Text []byte
	// Continued marks a further piece of a line that is longer than MaxLine.
	Continued bool
}

// Format is how lines are written.
type Format uint8

const (
	// Prefix writes "memcached: text".
	Prefix Format = iota
	// Raw writes the text alone. Lines of svinit's own are written as in
	// Prefix, so that a reader can tell them from those of the services.
	Raw
)

// format is how the lines of one source are written.
type format struct {
	// append appends one line, with its newline, to dst.
	append func(dst []byte, l *Line) []byte
	// verbatim says that append appends a head that does not depend on Text,
	// Text as it is, and a newline. The head is then the same for all lines of
	// one read, and is made once for them.
	verbatim bool
	// timed says that append uses Line.Time.
	timed bool
}

var (
	prefix = format{append: appendPrefix, verbatim: true}
	raw    = format{append: appendRaw, verbatim: true}
)

// formats has, for each Format, how lines of services and svinit's own are
// written.
var formats = [...]struct{ services, own *format }{
	Prefix: {&prefix, &prefix},
	Raw:    {&raw, &prefix},
}

// appendPrefix appends "SERVICE: TEXT", and "SERVICE+: TEXT" for a further
// piece.
func appendPrefix(dst []byte, l *Line) []byte {
	dst = append(dst, l.Service...)
	if l.Continued {
		dst = append(dst, '+')
	}
	return append(append(append(dst, ": "...), l.Text...), '\n')
}

// appendRaw appends "TEXT", and "+: TEXT" for a further piece.
func appendRaw(dst []byte, l *Line) []byte {
	if l.Continued {
		dst = append(dst, "+: "...)
	}
	return append(append(dst, l.Text...), '\n')
}
