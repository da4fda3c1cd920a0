package svlog

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// sink collects what is written to its pipe.
type sink struct {
	w    *os.File
	text chan string
}

func newSink(t testing.TB) *sink {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{w, make(chan string, 1)}
	go func() {
		b, _ := io.ReadAll(r)
		r.Close()
		s.text <- string(b)
	}()
	return s
}

func (s *sink) fd() int { return int(s.w.Fd()) }

// all closes the sink and returns what it has collected.
func (s *sink) all() string {
	s.w.Close()
	return <-s.text
}

// newMux returns a running Mux, and a function that stops it and returns its
// outputs.
func newMux(t testing.TB, f Format) (m *Mux, end func() (out, errs string)) {
	out, errs := newSink(t), newSink(t)
	m, err := New(f, out.fd(), errs.fd())
	if err != nil {
		t.Fatal(err)
	}
	go m.Run()
	return m, func() (string, string) {
		<-m.Stop()
		return out.all(), errs.all()
	}
}

func newPipe(t testing.TB, m *Mux, label string, s Stream) int {
	w, err := m.Pipe(label, s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func write(t testing.TB, fd int, s string) {
	for len(s) > 0 {
		n, err := unix.Write(fd, []byte(s))
		if err != nil {
			t.Error(err)
			return
		}
		s = s[n:]
	}
}

func TestLines(t *testing.T) {
	m, end := newMux(t, Prefix)
	out, errs := newPipe(t, m, "web", Stdout), newPipe(t, m, "web", Stderr)
	write(t, out, "one\ntwo")
	write(t, errs, "trouble\n")
	write(t, out, " and a half\n\n\x00\xff\r\nlast")
	m.Report(Event{Text: "hear"})
	unix.Close(out)
	unix.Close(errs)
	o, e := end()
	if want := "web: one\nweb: two and a half\nweb: \nweb: \x00\xff\r\nweb: last\n"; o != want {
		t.Errorf("stdout %q, want %q", o, want)
	}
	if !strings.Contains(e, "web: trouble\n") || !strings.Contains(e, "svinit: hear\n") || len(e) != len("web: trouble\nsvinit: hear\n") {
		t.Errorf("stderr %q", e)
	}
}

func TestRaw(t *testing.T) {
	m, end := newMux(t, Raw)
	out := newPipe(t, m, "web", Stdout)
	write(t, out, "one\ntwo")
	unix.Close(out)
	if o, _ := end(); o != "one\ntwo\n" {
		t.Errorf("stdout %q", o)
	}
}

// Stop writes an unfinished line even while its pipe still has a writer.
func TestStopEndsLines(t *testing.T) {
	m, end := newMux(t, Prefix)
	out := newPipe(t, m, "web", Stdout)
	write(t, out, "half")
	o, _ := end()
	unix.Close(out)
	if o != "web: half\n" {
		t.Errorf("stdout %q", o)
	}
}

func TestLongLines(t *testing.T) {
	for _, n := range []int{MaxLine - 1, MaxLine, MaxLine + 1, 2*MaxLine + 5, 5 * MaxLine} {
		m, end := newMux(t, Prefix)
		out := newPipe(t, m, "web", Stdout)
		line := strings.Repeat("0123456789abcdef", n/16+1)[:n]
		write(t, out, line+"\nnext\n")
		unix.Close(out)
		o, _ := end()
		var got strings.Builder
		lines := strings.SplitAfter(o, "\n")
		for i, l := range lines[:len(lines)-2] {
			label := "web+: "
			if i == 0 {
				label = "web: "
			}
			text, ok := strings.CutPrefix(strings.TrimSuffix(l, "\n"), label)
			if !ok || len(text) > MaxLine {
				t.Fatalf("%d bytes: piece %d begins %.20q and has %d bytes", n, i, l, len(l))
			}
			got.WriteString(text)
		}
		if got.String() != line {
			t.Errorf("%d bytes: %d came", n, got.Len())
		}
		if last := lines[len(lines)-2]; last != "web: next\n" {
			t.Errorf("%d bytes: then %.20q", n, last)
		}
	}
}

// Ten writers at once, in pieces of any size: no line is lost, torn or
// mixed with another.
func TestNothingTorn(t *testing.T) {
	m, end := newMux(t, Prefix)
	const writers, lines = 10, 3000
	var all sync.WaitGroup
	for i := range writers {
		fd := newPipe(t, m, fmt.Sprint("w", i), Stream(i%2))
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			var b bytes.Buffer
			for n := range lines {
				fmt.Fprintf(&b, "%d %s\n", n, strings.Repeat(string(rune('a'+i)), r.IntN(300)))
			}
			for s := b.String(); len(s) > 0; {
				n := min(1+r.IntN(5000), len(s))
				write(t, fd, s[:n])
				s = s[n:]
			}
			unix.Close(fd)
		})
	}
	all.Wait()
	o, e := end()
	var next [writers]int
	for line := range strings.Lines(o + e) {
		var i, n int
		var rest string
		if c, err := fmt.Sscanf(line, "w%d: %d %s", &i, &n, &rest); c < 2 && err != nil {
			t.Fatalf("torn: %q", line)
		}
		if n != next[i] || strings.Trim(rest, string(rune('a'+i))) != "" {
			t.Fatalf("writer %d: line %d came when %d was due: %.60q", i, n, next[i], line)
		}
		next[i]++
	}
	for i, n := range next {
		if n != lines {
			t.Errorf("writer %d: %d lines", i, n)
		}
	}
}

// A closed output loses its lines, is reported once on the other output, and
// does not stop the services.
func TestBrokenOutput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	errs := newSink(t)
	m, err := New(Prefix, int(w.Fd()), errs.fd())
	if err != nil {
		t.Fatal(err)
	}
	go m.Run()
	out := newPipe(t, m, "web", Stdout)
	write(t, out, strings.Repeat("lost\n", 50000)) // more than all buffers
	unix.Close(out)
	<-m.Stop()
	w.Close()
	want := "svinit: warning: unable to write to standard output: broken pipe; its lines are lost until that works again\n"
	if e := errs.all(); e != want {
		t.Errorf("stderr %q, want %q", e, want)
	}
}

// While the reader of our output stalls, Report does not wait, and reports
// later how many events were dropped.
func TestStalled(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(Prefix, 1, int(w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	go m.Run()
	e := Event{Text: strings.Repeat("x", 92)}
	reported := 0
	report := func() { m.Report(e); reported++ }
	// Whether Run is waiting for its reader or has not come to read yet, the
	// pipe for own lines gets full. How many lines Run takes before is up to the
	// scheduler, so the test does not depend on a number of them.
	for m.dropped.Load() == 0 {
		report()
	}
	for range 1000 {
		report()
	}
	if room := 1 << 20; reported*101 > room {
		t.Errorf("%d lines did not fill two pipes and two buffers of 64 KiB", reported)
	}
	text := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		text <- string(b)
	}()
	for m.dropped.Load() > 0 {
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(m.ownPipe), Events: unix.POLLOUT}}, -1); err != nil && err != unix.EINTR {
			t.Fatal(err)
		}
		report()
	}
	<-m.Stop()
	w.Close()
	got := <-text
	came, counted := strings.Count(got, "svinit: "+e.Text+"\n"), 0
	for note := range strings.Lines(got) {
		n := 0
		if c, _ := fmt.Sscanf(note, "svinit: warning: standard error stalled: %d lines of svinit were not written\n", &n); c == 1 {
			counted += n
		}
	}
	if came+counted != reported || counted == 0 {
		t.Errorf("%d came, %d were counted, of %d", came, counted, reported)
	}
}

func TestLongEvent(t *testing.T) {
	m, end := newMux(t, Prefix)
	m.Report(Event{Text: strings.Repeat("x", 10000)})
	if _, e := end(); len(e) != 4096 || strings.Count(e, "\n") != 1 {
		t.Errorf("%d bytes", len(e))
	}
}

// FuzzSplit cuts an input into pieces at any place: what is passed on is the
// input, line by line.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("one\ntwo\n\nthree"), uint16(3), uint16(5))
	f.Add(bytes.Repeat([]byte("x"), 3*MaxLine), uint16(60000), uint16(1))
	f.Add([]byte("\n\n\n"), uint16(1), uint16(1))
	f.Fuzz(func(t *testing.T, input []byte, a, b uint16) {
		m := &Mux{partial: make(map[*source]struct{})}
		s := &source{format: &format{verbatim: b%2 == 0, append: func(dst []byte, l *Line) []byte {
			label := byte('L')
			if l.Continued {
				label = 'M'
			}
			return append(append(append(dst, label), l.Text...), '\n')
		}}}
		fd, err := unix.MemfdCreate("out", 0)
		if err != nil {
			t.Fatal(err)
		}
		file := os.NewFile(uintptr(fd), "out")
		defer file.Close()
		m.outs[Stdout].fd = fd
		for rest, n := input, int(a)+1; len(rest) > 0; n = int(b) + 1 {
			n = min(n, len(rest))
			m.split(s, rest[:n])
			rest = rest[n:]
		}
		m.endLine(s)
		m.flush()
		got, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<30))
		if err != nil {
			t.Fatal(err)
		}
		if len(m.partial) > 0 {
			t.Error("a part of a line is held after the end")
		}
		var want []byte
		for line := range bytes.Lines(input) {
			line = bytes.TrimSuffix(line, newline)
			label := byte('L')
			for len(line) > MaxLine {
				want = append(append(append(want, label), line[:MaxLine]...), '\n')
				line, label = line[MaxLine:], 'M'
			}
			want = append(append(append(want, label), line...), '\n')
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes in pieces of %d and %d: got %d bytes %.60q, want %d %.60q", len(input), a, b, len(got), got, len(want), want)
		}
	})
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"memcached":         "memcached",
		"größe 1":           "größe 1",
		"two\nlines":        `two\nlines`,
		"bad\xff":           `bad\xff`,
		"\x1b[31m":          `\x1b[31m`,
		`back\slash "said"`: `back\slash "said"`,
		"tab\t\"q\"":        `tab\t"q"`,
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
		if got := Printable(want); got != want {
			t.Errorf("%s again: %s", want, got)
		}
	}
}
