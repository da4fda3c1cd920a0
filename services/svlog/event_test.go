package svlog

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestEvent(t *testing.T) {
	for _, c := range []struct {
		event Event
		want  string
	}{
		{Event{Service: "web", Text: "died: exit code 1"}, "web died: exit code 1"},
		{Event{Text: "no more signals"}, "no more signals"},
		{Event{Level: Fatal, Text: "no\nnewline"}, `fatal: no\nnewline`},
		{Event{Level: Warning, Service: "a\tb", Text: `c\d`}, `warning: a\tb c\\d`},
		{Unable("start", "web", errors.New("no such file")), "warning: unable to start web: no such file"},
		// An object with control characters leaves the reason as it is.
		{Unable("start", "a\tb", errors.New(`c\d`)), `warning: unable to start a\tb: c\d`},
		{Unable("run", "web", errors.New("no such file")).At(Fatal), "fatal: unable to run web: no such file"},
	} {
		if got := c.event.String(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.event, got, c.want)
		}
	}
}

func TestDirect(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	report := Direct("supervise", int(w.Fd()))
	report(Event{Level: Warning, Text: "hear"})
	report(Event{Text: strings.Repeat("x", 10000)})
	w.Close()
	b, err := io.ReadAll(r)
	if want := "supervise: warning: hear\n"; err != nil || len(b) != len(want)+4096 || !strings.HasPrefix(string(b), want) || b[len(b)-1] != '\n' {
		t.Errorf("got %d bytes, %.40q, %v", len(b), b, err)
	}
}

// A full pipe costs the line and no time; a closed one only the line.
func TestDirectStalled(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	fd := int(w.Fd()) // blocking
	size, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		t.Fatal(err)
	}
	write(t, fd, strings.Repeat("x", size))
	report := Direct("supervise", fd)
	report(Event{Text: "lost"})
	b := make([]byte, 2*size)
	if n, err := r.Read(b); n != size || err != nil {
		t.Errorf("read %d bytes of %d, %v", n, size, err)
	}
	r.Close()
	report(Event{Text: "nobody reads this"})
}
