package epoll

import (
	"testing"

	"golang.org/x/sys/unix"
)

func pipe(t *testing.T) (r, w int) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(p[0]); unix.Close(p[1]) })
	return p[0], p[1]
}

func TestLevelAndEdge(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lr, lw := pipe(t)
	er, ew := pipe(t)
	level, edge := 0, 0
	if err := s.Add(lr, Level, func() { level++ }); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(er, Edge, func() { edge++ }); err != nil {
		t.Fatal(err)
	}
	if n := s.Poll(); n != 0 {
		t.Errorf("%d ready of none", n)
	}
	unix.Write(lw, []byte("x"))
	unix.Write(ew, []byte("x"))
	for range 3 {
		if err := s.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if level != 3 || edge != 1 {
		t.Errorf("level %d, edge %d, want 3, 1", level, edge)
	}
	s.Remove(lr)
	unix.Write(ew, []byte("x"))
	if err := s.Wait(); err != nil || level != 3 || edge != 2 {
		t.Errorf("error %v, level %d, edge %d, want 3, 2", err, level, edge)
	}
	if err := s.Add(-1, Level, nil); err == nil {
		t.Error("no error for a bad descriptor")
	}
}

// Wait sleeps until another goroutine makes something ready, and Close ends it.
func TestWaitAndClose(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	r, w := pipe(t)
	got := make(chan bool)
	s.Add(r, Edge, func() { got <- true })
	ended := make(chan error)
	go func() {
		for {
			if err := s.Wait(); err != nil {
				ended <- err
				return
			}
		}
	}()
	for range 100 {
		unix.Write(w, []byte("x"))
		<-got
	}
	s.Close()
	if err := <-ended; err == nil {
		t.Error("no error after Close")
	}
}
