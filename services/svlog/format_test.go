package svlog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		f             Format
		continued     bool
		services, own string
	}{
		{Prefix, false, "web: one\n", "web: one\n"},
		{Prefix, true, "web+: one\n", "web+: one\n"},
		{Raw, false, "one\n", "web: one\n"},
		{Raw, true, "+: one\n", "web+: one\n"},
	} {
		l := &Line{Service: "web", Text: []byte("one"), Continued: c.continued}
		if got := string(formats[c.f].services.append(nil, l)); got != c.services {
			t.Errorf("format %d of a service: %q, want %q", c.f, got, c.services)
		}
		if got := string(formats[c.f].own.append(nil, l)); got != c.own {
			t.Errorf("format %d of our own: %q, want %q", c.f, got, c.own)
		}
	}
}

// A format that is verbatim appends the same head to every text.
func TestVerbatim(t *testing.T) {
	for name, f := range map[string]format{"prefix": prefix, "raw": raw} {
		if !f.verbatim {
			t.Errorf("%s is not verbatim", name)
		}
		empty := f.append(nil, &Line{Service: "web"})
		for _, text := range []string{"", "one", "\x00\xff\r", strings.Repeat("x", MaxLine)} {
			got := f.append([]byte("before"), &Line{Service: "web", Text: []byte(text)})
			if want := "before" + string(bytes.TrimSuffix(empty, newline)) + text + "\n"; string(got) != want {
				t.Errorf("%s: %.40q, want %.40q", name, got, want)
			}
		}
	}
}

// What a format is called with: every field of a line, and the time only where
// it asks for that.
func TestLine(t *testing.T) {
	for _, timed := range []bool{false, true} {
		begin := time.Now()
		f := &format{timed: timed, append: func(dst []byte, l *Line) []byte {
			if l.Time.IsZero() == timed || timed && (l.Time.Before(begin) || l.Time.After(time.Now())) {
				t.Errorf("timed %v: time %v", timed, l.Time)
			}
			text := l.Text[:min(len(l.Text), 5)]
			return fmt.Appendf(dst, "%s %d %v %d %s\n", l.Service, l.Stream, l.Continued, len(l.Text), text)
		}}
		out, errs := newSink(t), newSink(t)
		m, err := New(Prefix, out.fd(), errs.fd())
		if err != nil {
			t.Fatal(err)
		}
		m.services, m.own = f, f
		web := newPipe(t, m, "web", Stdout)
		go m.Run()
		write(t, web, "one\ntwo"+strings.Repeat("o", MaxLine)+"\n\nlast")
		unix.Close(web)
		<-m.Stop()
		if got, want := out.all(), "web 0 false 3 one\nweb 0 false 65536 twooo\nweb 0 true 3 ooo\nweb 0 false 0 \nweb 0 false 4 last\n"; got != want {
			t.Errorf("timed %v: %q, want %q", timed, got, want)
		}
		errs.all()
		e := Event{Level: Warning, Text: "hear"}
		if got := string(m.appendOwn(nil, e)); got != "svinit 1 false 13 warni\n" {
			t.Errorf("timed %v: own line %q", timed, got)
		}
	}
}
