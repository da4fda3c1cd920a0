package reaper

import (
	"os"
	"syscall"
	"testing"
)

func TestDescends(t *testing.T) {
	ps := procs{10: {Parent: 1}, 11: {Parent: 10}, 12: {Parent: 11}, 20: {Parent: 1}, 30: {Parent: 31}, 31: {Parent: 30}}
	for _, c := range []struct {
		pid, of int
		want    bool
	}{
		{12, 10, true}, {11, 10, true}, {12, 1, true}, {10, 10, false}, {20, 10, false}, {99, 10, false},
		{30, 10, false}, // a circle, as two readings of /proc at different times may show
	} {
		if got := ps.descends(c.pid, map[int]bool{c.of: true}); got != c.want {
			t.Errorf("%d of %d: %v", c.pid, c.of, got)
		}
	}
}

// Not being PID 1, we see ourselves and our own, and never anybody else.
func TestOursAreDescendants(t *testing.T) {
	ended := make(chan syscall.WaitStatus, 1)
	rd, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer rd.Close()
	// A child with a child in a session of its own: both are ours, and both
	// belong to one that we started.
	pid := start(t, "setsid sh -c 'echo; exec sleep 1000' & wait", wr.Fd(), func(ws syscall.WaitStatus) { ended <- ws })
	wr.Close()
	rd.Read(make([]byte, 1))
	ours := readProcs().ours()
	for p := range ours {
		if p == os.Getppid() || p == 1 || p == os.Getpid() {
			t.Errorf("pid %d is not ours", p)
		}
	}
	if _, ok := ours[pid]; !ok {
		t.Errorf("our child %d is missing from %v", pid, ours)
	}
	if strays := r.strays(readProcs()); len(strays) != 0 {
		t.Errorf("strays %v while their parent lives", strays)
	}
	// When their parent is gone they are strays, and KillOrphans ends them.
	r.Signal(pid, syscall.SIGKILL)
	<-ended
	r.KillOrphans()
	if _, err := rd.Read(make([]byte, 1)); err == nil {
		t.Error("the orphan still writes")
	}
	if err := r.Signal(os.Getppid(), 0); err != syscall.ESRCH {
		t.Errorf("a signal to a stranger: %v", err)
	}
}
