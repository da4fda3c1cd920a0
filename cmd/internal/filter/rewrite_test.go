package filter

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"svinit/services/tai64n"
)

// rewriteAll passes the input to a rewriter in pieces of size, as pump does.
func rewriteAll(t *testing.T, r rewriter, in []byte, size int) []byte {
	t.Helper()
	var out, have []byte
	for len(in) > 0 {
		n := min(size, len(in))
		have, in = append(have, in[:n]...), in[n:]
		var left int
		out, left = r.rewrite(out, have)
		if left < 0 || left > readSize || left > len(have) {
			t.Fatalf("%d bytes are left of %d", left, len(have))
		}
		have = bytes.Clone(have[len(have)-left:])
	}
	return out
}

// TestStamperClockSetBack checks labels when the clock is set back and forward.
func TestStamperClockSetBack(t *testing.T) {
	at := time.Unix(1000, 0)
	s := &stamper{lineStart: true, now: func() time.Time { return at }}
	for _, c := range []struct{ clock, label time.Duration }{
		{0, 0},
		{5 * time.Second, 5 * time.Second},
		{5*time.Second - 1, 5 * time.Second}, // set back by a nanosecond
		{4*time.Second + 1, 5 * time.Second},
		{6 * time.Second, 6 * time.Second},
		{5 * time.Second, 5 * time.Second}, // set back by a second: too much
		{-time.Hour, -time.Hour},
	} {
		at = time.Unix(1000, 0).Add(c.clock)
		out, _ := s.rewrite(nil, []byte("a\nb\n"))
		stamp := string(tai64n.AppendText(nil, time.Unix(1000, 0).Add(c.label)))
		if want := stamp + " a\n" + stamp + " b\n"; string(out) != want {
			t.Errorf("at %v: %q, want %q", c.clock, out, want)
		}
	}
}

var stamped = regexp.MustCompile(`(?m)^@4[0-9a-f]{23} `)

// FuzzTai64n checks that each line has a label, and that the output without the
// labels is the input.
func FuzzTai64n(f *testing.F) {
	for _, s := range []string{"", "a\n", "a", "\n\n\n", "a\x00b\nc", "@400000000000000a00000000 x\n"} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		size = 1 + size&0xfff
		out := rewriteAll(t, &stamper{lineStart: true, now: time.Now}, in, size)
		var got []byte
		last := ""
		for line := range bytes.Lines(out) {
			if !stamped.Match(line) {
				t.Fatalf("%q: no label at %q", in, line)
			}
			if stamp := string(line[:tai64n.TextSize]); stamp < last {
				t.Fatalf("%q: labels go backwards", in)
			} else {
				last = stamp
			}
			got = append(got, line[tai64n.TextSize+1:]...)
		}
		if !bytes.Equal(got, in) {
			t.Errorf("%q became %q", in, out)
		}
	})
}

// FuzzTai64nlocal checks that the output does not depend on the sizes of the
// reads, and that lines without a label are unchanged.
func FuzzTai64nlocal(f *testing.F) {
	for _, s := range []string{"", "a\n", "@", "@\n", label(0, 0) + " x\n", label(1<<40, 1<<32-1), "x" + label(0, 0), "@4000 x\n@ffffffffffffffff"} {
		f.Add([]byte(s), 3, "UTC")
	}
	f.Add([]byte(label(1e9, 0)+" x\n"), 1, "CET-1CEST,M3.5.0,M10.5.0/3")
	f.Fuzz(func(t *testing.T, in []byte, size int, tz string) {
		size = 1 + size&0xfff
		loc, err := time.LoadLocationFromTZData(tz, tzdataOfRule(tz))
		if err != nil {
			loc = time.UTC
		}
		fresh := func() *localizer { return &localizer{lineStart: true, clock: newClock(loc)} }
		out := rewriteAll(t, fresh(), in, size)
		if once := rewriteAll(t, fresh(), in, len(in)+1); !bytes.Equal(out, once) {
			t.Fatalf("%q in pieces: %q, at once: %q", in, out, once)
		}
		ended := strings.TrimRight(string(in), "0123456789abcdef")
		if !bytes.HasPrefix(in, []byte("@")) && !bytes.Contains(in, []byte("\n@")) {
			if !bytes.Equal(out, in) {
				t.Errorf("%q became %q", in, out)
			}
		} else if strings.Count(string(out), "\n") != strings.Count(ended, "\n") {
			t.Errorf("%q has other lines than %q", out, in)
		}
	})
}
