package reaper

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"svinit/reaper/sigaction"
)

// One reaper for all tests: there can be but one in a process. The tests of
// this package therefore start nothing in any other way.
var r *Reaper

func TestMain(m *testing.M) {
	// With a signal blocked, as some container engines start a program: it
	// must not be blocked in our children.
	runtime.LockOSThread()
	var mask unix.Sigset_t
	mask.Val[0] = 1<<(syscall.SIGUSR1-1) | 1<<(syscall.SIGTERM-1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &mask, nil); err != nil {
		panic(err)
	}
	// nohup ignores HUP. A shell cannot trap what is ignored when it starts.
	for sig := syscall.Signal(1); sig <= syscall.SIGSYS; sig++ {
		if sigaction.Get(sig).Handler == sigaction.Ignore {
			sigaction.Set(sig, sigaction.Action{})
		}
	}
	// What the test was given beyond standard error is not what we look at.
	if err := unix.CloseRange(3, 1<<20, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		panic(err)
	}
	var err error
	if r, err = New(); err != nil {
		panic(err)
	}
	r.WaitForWake = os.Getenv("WAIT_FOR_WAKE") != ""
	chld := make(chan os.Signal, 1)
	signal.Notify(chld, syscall.SIGCHLD)
	go func() {
		for range chld {
			r.Wake()
		}
	}()
	done := make(chan struct{})
	go func() { r.Run(); close(done) }()
	code := m.Run()

	// At the end, because nothing starts after it.
	r.Drain()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		fmt.Println("FAIL: Run does not return after Drain")
		code = 1
	}
	if _, err := r.Start("/bin/true", []string{"true"}, &syscall.ProcAttr{}, nil, nil, nil); err != ErrDraining {
		fmt.Println("FAIL: Start after Drain:", err)
		code = 1
	}
	os.Exit(code)
}

// start starts a shell command with the write end of a pipe as its output.
func start(t *testing.T, script string, out uintptr, exited func(syscall.WaitStatus)) int {
	t.Helper()
	pid, err := r.Start("/bin/sh", []string{"sh", "-c", script}, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, out, 2},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}, nil, func(err error) {
		if err != nil {
			t.Error(err)
		}
	}, exited)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// run runs a shell command to its end and returns its status and output.
func run(t *testing.T, script string) (syscall.WaitStatus, string) {
	t.Helper()
	rd, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer rd.Close()
	ended := make(chan syscall.WaitStatus, 1)
	start(t, script, wr.Fd(), func(ws syscall.WaitStatus) { ended <- ws })
	wr.Close()
	var b strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := rd.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break
		}
	}
	return <-ended, b.String()
}

func TestStatuses(t *testing.T) {
	for _, c := range []struct {
		script string
		want   syscall.WaitStatus
	}{
		{"exit 0", 0},
		{"exit 7", 7 << 8},
		{"kill -KILL $$", 9},
		{"kill -TERM $$", 15}, // blocked in us
		{"kill -USR1 $$", 10},
	} {
		if ws, _ := run(t, c.script); ws != c.want {
			t.Errorf("%s: status %#x, want %#x", c.script, ws, c.want)
		}
	}
}

// Children that die at once, from many goroutines at the same time: every
// status arrives, once, at its owner.
func TestNoStatusIsLost(t *testing.T) {
	const n = 300
	var got [n]atomic.Int32
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			ended := make(chan syscall.WaitStatus, 2)
			_, err := r.Start("/bin/sh", []string{"sh", "-c", fmt.Sprint("exit ", i%100)}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}}, nil,
				func(error) {}, func(ws syscall.WaitStatus) { ended <- ws })
			if err != nil {
				t.Error(err)
				return
			}
			if ws := <-ended; ws.ExitStatus() == i%100 {
				got[i].Add(1)
			}
		})
	}
	all.Wait()
	for i := range n {
		if got[i].Load() != 1 {
			t.Errorf("child %d: its status came %d times", i, got[i].Load())
		}
	}
}

func TestFailedExec(t *testing.T) {
	outcome := make(chan error, 1)
	pid, err := r.Start("/nonexistent", []string{"x"}, &syscall.ProcAttr{}, nil, func(err error) { outcome <- err }, func(syscall.WaitStatus) {
		t.Error("exited called for a program that never ran")
	})
	if err != nil {
		t.Fatal(err)
	}
	if !r.AwaitExec(pid, 20*time.Second) {
		t.Error("no outcome")
	}
	if err := <-outcome; err != syscall.ENOENT {
		t.Errorf("error %v, want ENOENT", err)
	}
	// A child that is started and reaped after it proves that the failed one
	// was not mistaken for anything.
	if ws, _ := run(t, "exit 5"); ws.ExitStatus() != 5 {
		t.Errorf("status %v", ws)
	}
}

func TestOrphans(t *testing.T) {
	before := r.Orphans()
	// Each leaves one behind, which ends when told through the pipe.
	rd, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer rd.Close()
	for range 20 {
		done := make(chan syscall.WaitStatus, 1)
		start(t, "sh -c 'exit 3' & exit 0", wr.Fd(), func(ws syscall.WaitStatus) { done <- ws })
		<-done
	}
	wr.Close()
	if _, err := rd.Read(make([]byte, 1)); err == nil {
		t.Error("output from nobody")
	}
	// The last writer has gone; its status is at most a moment away. A child
	// that ends later is reaped later, so one of ours marks the moment.
	for range 1000 {
		if r.Orphans()-before >= 20 {
			break
		}
		run(t, "exit 0")
	}
	// An orphan whose parent reaped it itself is none: the shell may have.
	if n := r.Orphans() - before; n > 20 {
		t.Errorf("%d orphans of 20", n)
	}
	if b, err := os.ReadFile("/proc/self/task/" + fmt.Sprint(os.Getpid()) + "/children"); err == nil && len(strings.Fields(string(b))) > 0 {
		t.Errorf("children left: %s", b)
	}
}

func TestSignal(t *testing.T) {
	ended := make(chan syscall.WaitStatus, 1)
	rd, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer rd.Close()
	pid := start(t, "trap 'exit 9' HUP; echo; while :; do read x </dev/null; done", wr.Fd(), func(ws syscall.WaitStatus) { ended <- ws })
	wr.Close()
	rd.Read(make([]byte, 1))
	if !r.Started()[pid] {
		t.Error("Started is false for a child that runs")
	}
	if err := r.Signal(-pid, syscall.SIGHUP); err != nil {
		t.Error(err)
	}
	if ws := <-ended; ws.ExitStatus() != 9 {
		t.Errorf("status %#x", ws)
	}
	if err := r.Signal(pid, syscall.SIGHUP); err != syscall.ESRCH {
		t.Errorf("signal to a process that has ended: %v", err)
	}
	if r.Started()[pid] {
		t.Error("Started is true for a child that has ended")
	}
}

// A child has default dispositions, an empty mask, its own session and no
// descriptor that is not its own, whatever we have.
func TestWhatAChildGets(t *testing.T) {
	// What is ignored is package signals' to mend, and a scenario's to test.
	// cat ends last and is the one that reads: the shell itself traps nothing.
	ws, out := run(t, "exec cat /proc/self/status /proc/self/stat")
	if ws != 0 {
		t.Fatalf("status %#x", ws)
	}
	for _, line := range []string{"SigBlk:\t0000000000000000", "SigCgt:\t0000000000000000"} {
		if !strings.Contains(out, line+"\n") {
			t.Errorf("no line %q in\n%s", line, out)
		}
	}
	stat := strings.Fields(out[strings.LastIndexByte(out, ')')+1:])
	if pid := strings.Fields(out[strings.Index(out, "Pid:"):])[1]; stat[3] != pid {
		t.Errorf("pid %s, session %s", pid, stat[3])
	}
	// ls opens the directory itself: 0, 1, 2 and that one.
	if _, out := run(t, "exec ls /proc/self/fd"); out != "0\n1\n2\n3\n" {
		t.Errorf("descriptors %q", out)
	}
}

// Without a child the reaper sleeps, and wakes for the next.
func TestSleepsWithoutChildren(t *testing.T) {
	for range 20 {
		if ws, _ := run(t, "exit 4"); ws.ExitStatus() != 4 {
			t.Errorf("status %#x", ws)
		}
	}
}

// Everything holds without a thread that waits, too.
func TestWaitForWake(t *testing.T) {
	if r.WaitForWake {
		return
	}
	ended := make(chan syscall.WaitStatus, 1)
	_, err := r.Start("/proc/self/exe", []string{"reaper.test", "-test.timeout=1m"}, &syscall.ProcAttr{
		Env:   append(os.Environ(), "WAIT_FOR_WAKE=1"),
		Files: []uintptr{0, 1, 2},
	}, nil, func(error) {}, func(ws syscall.WaitStatus) { ended <- ws })
	if err != nil {
		t.Fatal(err)
	}
	if ws := <-ended; ws != 0 {
		t.Errorf("these tests ended with status %#x", ws)
	}
}
