package filter

import (
	"io"
	"unsafe"

	"svinit/cmd/internal/applet"
)

// Readproctitle is readproctitle(8).
var Readproctitle = applet.Command{
	Name:     "readproctitle",
	Synopsis: "readproctitle label ... dots",
	Summary:  "show the last of an error log among the processes",
	Section:  8,
	Help: `Shows what comes on standard input, the last of it, in its own last argument, to
be seen with "ps". That argument gives the room, at least five bytes.
svscanboot starts it with 400 dots.
`,
	Run: readproctitle,
}

// dots is how much of the last argument stays dots: a mark that something was
// there before.
const dots = 3

func readproctitle(e *applet.Env) error {
	if len(e.Args) == 0 {
		return applet.Silent(applet.Wrong)
	}
	title := e.Args[len(e.Args)-1]
	if len(title) < dots+2 {
		return applet.Silent(applet.Wrong)
	}
	// The Go runtime does not copy the arguments: these bytes are those that the
	// kernel gave us, and shows in /proc/PID/cmdline. They are writable, and
	// nobody else here looks at this string.
	text := unsafe.Slice(unsafe.StringData(title), len(title))
	for i := range text {
		text[i] = '.'
	}
	text = text[dots:]
	in := make([]byte, 4096)
	for {
		n, err := e.Stdin.Read(in)
		show(text, in[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return applet.Silent(applet.Refused)
		}
	}
}

// show moves what there is to the left, and puts what has come at the end. A
// NUL would end the argument: it is left out.
func show(text, in []byte) {
	n := 0
	for _, c := range in {
		if c != 0 {
			in[n] = c
			n++
		}
	}
	in = in[max(0, n-len(text)):n]
	copy(text, text[len(in):])
	copy(text[len(text)-len(in):], in)
}
