package svlog

// Prog is the name of svinit in its own lines.
const Prog = "svinit"

// Level is how serious an event is.
type Level uint8

const (
	// Info is something that happened, such as the exit of a service.
	Info Level = iota
	// Warning is something that could not be done; svinit goes on without it.
	Warning
	// Fatal is why svinit exits.
	Fatal
)

// words is how a level begins its line, in the wording of daemontools.
var words = [...]string{Info: "", Warning: "warning: ", Fatal: "fatal: "}

// Event is something that svinit itself, or one of its tools, reports about
// its work. It becomes text only when it is written, as one line:
//
//	PROG: [warning: |fatal: ][SERVICE ]TEXT
//
//	svinit: memcached died: exit code 1 after 3s; restarting
//	svinit: warning: unable to start web: ./run: no such file or directory
//
// Control characters are escaped by [Printable]. A line has at most 4096
// bytes with its newline, so that one write to a pipe keeps it whole
// (PIPE_BUF, pipe(7)); what is longer is cut.
type Event struct {
	Level Level
	// Service is the name of the service that the event is about, if there is
	// one: "memcached".
	Service string
	// Text is the rest, without a newline at its end: "died: exit code 1 after
	// 3s; restarting".
	Text string
}

// Unable returns the warning that something could not be done, in the wording
// of daemontools: "unable to VERB OBJECT: REASON".
func Unable(verb, object string, err error) Event {
	return Event{Level: Warning, Text: "unable to " + verb + " " + Printable(object) + ": " + Printable(err.Error())}
}

// At returns the event with another level.
func (e Event) At(l Level) Event {
	e.Level = l
	return e
}

// String returns the line without the name of the program and the newline.
func (e Event) String() string {
	text := e.Text
	if e.Service != "" {
		text = e.Service + " " + text
	}
	return words[e.Level] + Printable(text)
}

// maxEvent is the longest line of an event in bytes, with its newline.
const maxEvent = 4096

// AppendLine appends the whole line with its newline.
func (e Event) AppendLine(dst []byte, prog string) []byte {
	return append(append(append(append(dst, prog...), ": "...), e.text(prog)...), '\n')
}

// text returns as much of String as fits into the line of prog.
func (e Event) text(prog string) []byte {
	s := e.String()
	return []byte(s[:min(len(s), maxEvent-len(prog)-len(": \n"))])
}

// Reporter takes events. It may be called from any goroutine and does not
// block.
type Reporter func(Event)

// Direct returns a Reporter that writes lines of prog to the descriptor fd, for
// where no Mux runs. A line that would have to wait for its reader, or that
// cannot be written, is dropped, see [TryWrite].
func Direct(prog string, fd int) Reporter {
	return func(e Event) {
		TryWrite(fd, e.AppendLine(nil, prog))
	}
}
