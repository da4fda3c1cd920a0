package svlog

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// descriptors returns how many descriptors this process has open.
func descriptors(t *testing.T) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// stalledMux returns a running Mux that waits for the reader of its standard
// output, and a function that reads it, stops the Mux, and returns its outputs.
func stalledMux(t *testing.T) (m *Mux, end func() (out, errs string)) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	errors := newSink(t)
	if m, err = New(Prefix, int(w.Fd()), errors.fd()); err != nil {
		t.Fatal(err)
	}
	go m.Run()
	flood := newPipe(t, m, "flood", Stdout)
	unix.SetNonblock(flood, true)
	for m.writing.Load() == 0 || !full(flood) {
		unix.Write(flood, []byte("flood\n"))
	}
	unix.Close(flood)
	text := make(chan string)
	return m, func() (string, string) {
		go func() {
			b, _ := io.ReadAll(r)
			r.Close()
			text <- string(b)
		}()
		<-m.Stop()
		w.Close()
		return <-text, errors.all()
	}
}

// full reports whether a pipe is full.
func full(w int) bool {
	n, _ := unix.Poll([]unix.PollFd{{Fd: int32(w), Events: unix.POLLOUT}}, 0)
	return n == 0
}

// While the reader of our output stalls, a service that crashes again and again
// does not use up descriptors, loses no line, and no line is joined with that of
// another process.
func TestCrashLoopWhileStalled(t *testing.T) {
	m, end := stalledMux(t)
	before := descriptors(t)
	const lives = 200
	var want []string
	unix.Close(newPipe(t, m, "web", Stdout)) // the first two write nothing
	unix.Close(newPipe(t, m, "web", Stdout))
	for i := range lives {
		w := newPipe(t, m, "web", Stdout)
		write(t, w, fmt.Sprintf("line %d\nhalf %d", i, i))
		unix.Close(w)
		want = append(want, fmt.Sprintf("web: line %d", i), fmt.Sprintf("web: half %d", i))
	}
	if n := descriptors(t) - before; n > maxOpen {
		t.Errorf("%d descriptors for %d processes", n, lives)
	}
	out, errs := end()
	var got []string
	for line := range strings.Lines(out) {
		if line != "flood: flood\n" && line != "flood: \n" {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if want := "svinit: warning: unable to pass on the output of web: nobody reads our standard output; its processes share a pipe and wait when it is full\n"; errs != want {
		t.Errorf("stderr %q, want %q", errs, want)
	}
	if len(m.pipes.newest) > 0 {
		t.Error("a source is left")
	}
}

// The children that a service leaves in the background, each with half a line,
// do not use up descriptors either.
func TestCrashLoopWithChildren(t *testing.T) {
	m, end := newMux(t, Prefix)
	var children []int
	want := ""
	const lives = 50
	before := descriptors(t)
	for i := range lives {
		w := newPipe(t, m, "web", Stdout)
		text := fmt.Sprintf("%d%s", i, strings.Repeat("x", 30000))
		write(t, w, text)
		for unread := 1; unread > 0; {
			runtime.Gosched()
			unread, _ = unix.IoctlGetInt(w, unix.TIOCINQ)
		}
		want += "web: " + text + "\n"
		children = append(children, w)
	}
	if n := descriptors(t) - before - lives; n > maxOpen {
		t.Errorf("%d descriptors of ours for %d processes", n, lives)
	}
	for _, w := range children {
		unix.Close(w)
	}
	out, errs := end()
	got, expected := strings.SplitAfter(out, "\n"), strings.SplitAfter(want, "\n")
	slices.Sort(got)
	slices.Sort(expected)
	if !slices.Equal(got, expected) {
		t.Errorf("%d bytes came, want %d", len(out), len(want))
	}
	if want := "svinit: warning: unable to close the output of earlier processes of web: processes that they left in the background hold it open; later ones share it\n"; errs != want {
		t.Errorf("stderr %q, want %q", errs, want)
	}
}

// The beginnings of processes fall into, between and behind reads.
func TestSplitProcesses(t *testing.T) {
	for size := 1; size < 12; size++ {
		m := &Mux{partial: make(map[*source]struct{})}
		s := &source{format: &prefix, origin: origin{service: "web"}}
		input := []byte("ab\ncdefgh\nij")
		starts := []int64{0, 5, 10, 12} // ab, cd|efgh, |ij|
		for rest := input; len(rest) > 0; {
			b := rest[:min(size, len(rest))]
			rest = rest[len(b):]
			s.sharing.read += int64(len(b))
			n := 0
			for n < len(starts) && starts[n] <= s.sharing.read {
				n++
			}
			m.splitProcesses(s, b, starts[:n])
			starts = starts[n:]
		}
		if got, want := string(m.outs[Stdout].buf), "web: ab\nweb: cd\nweb: efgh\nweb: ij\n"; got != want {
			t.Errorf("%d bytes a read: %q, want %q", size, got, want)
		}
	}
}
