package filter

import (
	"io"
	"unsafe"

	"svinit/cmd/internal/applet"
)

// Readproctitle is readproctitle(8).
var Readproctitle = applet.Command{
	Name:     "readproctitle",
	TextArgs: true,
	Synopsis: "readproctitle label ... dots",
	Summary:  "show the end of an error log in the process list",
	Section:  8,
	Help: `Shows the last bytes of standard input in its own last argument, where "ps"
displays them. The length of that argument, at least five bytes, says how many.
svscanboot starts it with 400 dots.
`,
	Run: runReadproctitle,
}

// leadingDots is how many dots remain at the beginning of the last argument. They
// mean that earlier text is not shown.
const leadingDots = 3

func runReadproctitle(e *applet.Env) error {
	if len(e.Args) == 0 {
		return applet.Silent(applet.ExitPermanent)
	}
	title := e.Args[len(e.Args)-1]
	if len(title) < leadingDots+2 {
		return applet.Silent(applet.ExitPermanent)
	}
	// The Go runtime does not copy the arguments: these bytes are the memory that
	// the kernel shows in /proc/PID/cmdline. It is writable, and nothing else in
	// the process uses this string.
	text := unsafe.Slice(unsafe.StringData(title), len(title))
	for i := range text {
		text[i] = '.'
	}
	text = text[leadingDots:]
	in := make([]byte, 4096)
	for {
		n, err := e.Stdin.Read(in)
		shiftIn(text, in[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return applet.Silent(applet.ExitTemporary)
		}
	}
}

// shiftIn moves text to the left and puts the new bytes at its end. It drops NUL
// bytes, which would end the argument.
func shiftIn(text, in []byte) {
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
