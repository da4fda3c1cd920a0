package services

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"svinit/reaper/proc"
	"svinit/reaper/procattr"
	"svinit/services/epoll"
	"svinit/services/machine"
	"svinit/services/signame"
	"svinit/services/spec"
	"svinit/services/svdir"
	"svinit/services/svlog"
)

// world is everything outside of one service, in a bubble of synthetic time:
// processes that exist only here, and what was said of them.
type world struct {
	t   *testing.T
	dir string
	svc *owner

	mu         sync.Mutex
	begun      time.Time
	pid        int
	exited     map[int]func(syscall.WaitStatus)
	fail       error // what Start answers
	exec       error // what comes of an execve(2); errHangs: nothing
	hung       func(error)
	block      chan struct{} // Start waits until it is closed
	notify     int           // the descriptor for notifications of the last process
	finishExec error         // what comes of the execve(2) of finish
	quick      bool          // processes end before Start returns
	refuse     error         // what Signal answers
	left       []proc.Process
	log        []string // what happened, with the time
}

// errHangs is an execve(2) that hangs until its outcome is called.
var errHangs = errors.New("hangs")

// newWorld makes a service directory and starts its owner.
func newWorld(t *testing.T, files ...string) *world {
	w := &world{t: t, dir: t.TempDir(), begun: time.Now(), pid: 100, exited: make(map[int]func(syscall.WaitStatus))}
	for _, name := range append(files, "run") {
		if err := os.WriteFile(filepath.Join(w.dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	poll, err := epoll.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(poll.Close)
	cfg := &Config{Procs: w, Poll: poll, Report: func(e svlog.Event) { w.note("say svinit: %v", e) }}
	done := make(chan struct{})
	w.svc = newOwner(cfg, spec.Source{Name: "web", Dir: w.dir}, newSlots(4), func(r report) {
		if r.kind == ownerEnded {
			w.note("released")
			close(done)
		}
	})
	go w.svc.run()
	t.Cleanup(func() {
		w.svc.order(machine.Kill)
		synctest.Wait()
		for range 5 { // after run comes finish
			for pid := range w.exited {
				w.exit(pid, 9)
			}
		}
		<-done
	})
	synctest.Wait()
	return w
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprintf("%v ", time.Since(w.begun))+fmt.Sprintf(format, args...))
}

// failWith sets what Start answers from now on.
func (w *world) failWith(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = err
}

// Start implements Processes.
func (w *world) Start(path string, argv []string, attr *syscall.ProcAttr, _ *procattr.Extra, executed func(error), exited func(syscall.WaitStatus)) (int, error) {
	if w.block != nil {
		<-w.block
	}
	w.mu.Lock()
	fail := w.fail
	w.mu.Unlock()
	if fail != nil {
		w.note("fail")
		return 0, fail
	}
	w.pid++
	w.exited[w.pid] = exited
	if n := len(attr.Files); n > 3 {
		w.notify, _ = syscall.Dup(int(attr.Files[n-1]))
	}
	if what := "start"; path == "./run" {
		w.note("%s", what)
	} else {
		w.note("%s %s", what, strings.Join(argv, " "))
	}
	if w.exec == errHangs {
		w.hung = executed
		return w.pid, nil
	}
	outcome := w.exec
	if path == "./finish" {
		outcome = w.finishExec
	}
	if outcome != nil {
		delete(w.exited, w.pid)
	}
	executed(outcome)
	if w.quick {
		delete(w.exited, w.pid)
		exited(3 * sec)
	}
	return w.pid, nil
}

// AwaitExec implements Processes.
func (w *world) AwaitExec(int, time.Duration) bool { return w.exec != errHangs }

// Signal implements Processes.
func (w *world) Signal(pid int, sig syscall.Signal) error {
	who := ""
	if pid < 0 {
		who = " all"
	}
	w.note("%s%s", signame.Name(sig), who)
	return w.refuse
}

// Describe implements Processes.
func (w *world) Describe(pid int) string { return fmt.Sprintf("pid %d, uid 33", pid) }

// LeftBy implements Processes.
func (w *world) LeftBy(session int, began, ended time.Time) []proc.Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left
}

// Claim implements Processes.
func (w *world) Claim(proc.Process) bool { return true }

// Again implements Processes.
func (w *world) Again(p proc.Process) (proc.Process, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return p, slices.Contains(w.left, p)
}

// leave sets what processes leave from now on.
func (w *world) leave(left ...proc.Process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left = left
}

// exit ends a process.
func (w *world) exit(pid int, ws syscall.WaitStatus) {
	exited := w.exited[pid]
	delete(w.exited, pid)
	exited(ws)
	synctest.Wait()
}

// command sends bytes through the real FIFO.
func (w *world) command(bytes string) {
	w.t.Helper()
	if err := svdir.Send(filepath.Join(w.dir, svdir.Supervise), []byte(bytes)); err != nil {
		w.t.Fatal(err)
	}
	w.svc.inbox.poke() // the poller's part
	synctest.Wait()
}

// sleep lets time pass, and everything that is due happen.
func (w *world) sleep(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// saw compares what has happened since the last call.
func (w *world) saw(want ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.log, want) {
		w.t.Errorf("saw\n\t%s\nwant\n\t%s", strings.Join(w.log, "\n\t"), strings.Join(want, "\n\t"))
	}
	w.log = nil
}

// status reads the record.
func (w *world) status() svdir.Status {
	w.t.Helper()
	st, err := svdir.ReadStatus(filepath.Join(w.dir, svdir.Supervise))
	if err != nil {
		w.t.Fatal(err)
	}
	return st
}

const sec = 1 << 8 // an exit code, as wait(2) packs it
