package svlog

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Others write to our pipe at the same time, and its reader is slow: no line of
// pipeBuf bytes at most is torn, lost or doubled, whether splice(2) works or not.
func TestSharedPipe(t *testing.T) {
	for name, failed := range map[string]bool{"splice": false, "no splice": true} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			fd := int(w.Fd())
			m, err := New(Prefix, fd, fd)
			if err != nil {
				t.Fatal(err)
			}
			m.outs[Stdout].stage.failed = failed
			go m.Run()
			const writers, perWriter = 4, 2000
			line := func(i, n, overhead int) string {
				head := fmt.Sprintf("%d %d ", i, n)
				return head + strings.Repeat("x", n*7919%(pipeBuf-overhead-len(head)-1)) + ".\n"
			}
			ended := make(chan struct{})
			for i := range writers {
				to, overhead := fd, 0
				if i < 2 {
					to, overhead = newPipe(t, m, "web", Stdout), len("web: ")
				}
				go func() {
					for n := range perWriter {
						write(t, to, line(i, n, overhead))
					}
					if to != fd {
						unix.Close(to)
					}
					ended <- struct{}{}
				}()
			}
			go func() {
				for range writers {
					<-ended
				}
				<-m.Stop()
				w.Close()
			}()
			var text []byte
			for b := make([]byte, 3000); ; { // less than a page: the pipe is nearly always full
				n, err := r.Read(b)
				if err != nil {
					break
				}
				text = append(text, b[:n]...)
			}
			var next [writers]int
			for got := range bytes.Lines(text) {
				rest, labelled := bytes.CutPrefix(got, []byte("web: "))
				i, n := -1, 0
				fmt.Sscanf(string(rest), "%d %d ", &i, &n)
				overhead := 0
				if labelled {
					overhead = len("web: ")
				}
				if i < 0 || i >= writers || labelled != (i < 2) || n != next[i] || string(rest) != line(i, n, overhead) {
					t.Fatalf("torn: %.100q of %d bytes", got, len(got))
				}
				next[i]++
			}
			for i, n := range next {
				if n != perWriter {
					t.Errorf("writer %d: %d lines", i, n)
				}
			}
		})
	}
}

// A pipe that another process has made non-blocking loses nothing.
func TestNonblockingOutput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fd := int(w.Fd())
	o := newOutput(fd, "")
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	text := append(bytes.Repeat([]byte("a line of twenty by\n"), 50000), lines(30000, 60000)...)
	done := make(chan error)
	go func() {
		o.buf = append(o.buf, text...)
		done <- o.write()
	}()
	got := make([]byte, len(text))
	for n := 0; n < len(got); {
		c, err := r.Read(got[n:])
		if err != nil {
			t.Fatal(err)
		}
		n += c
	}
	if err := <-done; err != nil || !bytes.Equal(got, text) {
		t.Errorf("%v; other text came than was written", err)
	}
	o.stage.discard()
}

// Where splice(2) fails, what was staged is written all the same.
func TestStageCopies(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	// Not a pipe, and opened for appending: EINVAL.
	fd, err := unix.Open(file.Name(), unix.O_WRONLY|unix.O_APPEND|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var s stage
	for range 100 {
		if err := s.write(fd, []byte("line\n")); err != nil {
			t.Fatal(err)
		}
	}
	if s.held == 0 {
		t.Error("nothing was staged")
	}
	if err := s.flush(fd); err != nil {
		t.Fatal(err)
	}
	s.discard()
	if got, _ := os.ReadFile(file.Name()); string(got) != strings.Repeat("line\n", 100) {
		t.Errorf("%d bytes came", len(got))
	}
}

// A long line waits for room, so that nobody else's is in the middle of it.
func TestHasRoom(t *testing.T) {
	r, w, err := NewPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(r)
	defer unix.Close(w)
	o := newOutput(w, "")
	if !o.hasRoom(o.size) {
		t.Error("no room in an empty pipe")
	}
	// The worst filling: each write begins a new page.
	for i := 0; ; i++ {
		if o.hasRoom(5000) {
			fits(t, r, w, 5000)
		}
		if i == 30 {
			break
		}
		unix.SetNonblock(w, true)
		unix.Write(w, make([]byte, []int{1, 4096}[i%2]))
		unix.SetNonblock(w, false)
	}
	if o.hasRoom(5000) {
		t.Error("room in a full pipe")
	}
}

// fits checks that n more bytes fit into a pipe, and leaves it as it was.
func fits(t *testing.T, r, w, n int) {
	copyR, copyW, err := NewPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(copyR)
	defer unix.Close(copyW)
	// tee(2) copies the pages as they are.
	if unread, _ := unix.IoctlGetInt(r, unix.TIOCINQ); unread > 0 {
		if _, err := unix.Tee(r, copyW, 1<<20, 0); err != nil {
			t.Fatal(err)
		}
	}
	unix.SetNonblock(copyW, true)
	if c, err := unix.Write(copyW, make([]byte, n)); c != n {
		t.Errorf("%d of %d bytes fit: %v", c, n, err)
	}
}

func TestResetFlags(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd := int(file.Fd())
	unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_NONBLOCK|unix.O_APPEND)
	ResetFlags(fd)
	if fl, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); fl&unix.O_NONBLOCK != 0 || fl&unix.O_APPEND == 0 {
		t.Errorf("flags %#o", fl)
	}
}
