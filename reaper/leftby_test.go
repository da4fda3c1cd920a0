package reaper

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

// LeftBy finds what is in the session of a process that has ended, what has a
// session of its own, and nothing else.
func TestLeftBy(t *testing.T) {
	began := time.Now()
	ended := make(chan syscall.WaitStatus, 1)
	rd, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer rd.Close()
	// The second sleep has its session when it writes.
	pid := start(t, "sleep 1000 & echo $!; setsid sh -c 'echo $$; exec sleep 1000' & wait", wr.Fd(), func(ws syscall.WaitStatus) { ended <- ws })
	wr.Close()
	var same, own int
	if _, err := fmt.Fscan(rd, &same, &own); err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, pid := range []int{same, own} {
			syscall.Kill(pid, syscall.SIGKILL)
			for syscall.Kill(pid, 0) == nil { // until it is reaped
				runtime.Gosched()
			}
		}
	}()
	if left := r.LeftBy(pid, began, time.Now()); len(left) != 0 {
		t.Errorf("%v while their parent lives", left)
	}
	r.Signal(pid, syscall.SIGKILL)
	<-ended
	over := time.Now()
	pids := func(session int, began, ended time.Time) (pids []int) {
		for _, p := range r.LeftBy(session, began, ended) {
			r.Claim(p)
			pids = append(pids, p.PID)
		}
		slices.Sort(pids)
		return pids
	}
	for _, c := range []struct {
		what         string
		session      int
		began, ended time.Time
		want         []int
	}{
		{"without a guess", pid, time.Time{}, over, []int{same}},
		{"of a process that was over before", 1, began.Add(-time.Hour), began.Add(-time.Minute), nil},
		{"with a guess", pid, began, over, []int{same, own}},
		{"again", pid, began, over, []int{same}},
		{"of another process", 1, began, over, nil},
	} {
		slices.Sort(c.want)
		if got := pids(c.session, c.began, c.ended); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}
