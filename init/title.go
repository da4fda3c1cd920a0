package pid1

import (
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/reaper"
	"svinit/services"
)

// titleSize is how much of standard error readproctitle(8) shows, in bytes,
// as in daemontools' svscanboot.
const titleSize = 400

// title shows the end of standard error in the output of ps, as the argument of
// a process that is called readproctitle:
//
//	readproctitle service errors: ...cannot bind: address in use?svinit: web died: exit code 1
//
// There is no such process until svinit itself reports something. It is our own
// executable under that name, which overwrites its argument with what it reads
// from a pipe, at first with the recent end of standard error. A write to the
// pipe does not block: a reader that is too slow loses lines.
type title struct {
	procs *reaper.Reaper

	mu     sync.Mutex
	recent []byte // the end of what went to standard error
	pid    int    // of the process, while state is titleUp
	pipe   int    // its write end
	state  titleState
}

type titleState int

const (
	titleDown titleState = iota
	titleStarting
	titleUp
	titleOver // the shutdown has ended it
)

// show takes lines that are written to standard error, and starts the process
// if a line of svinit's own is among them. It does not block.
func (t *title) show(lines []byte, own bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh := lines[max(0, len(lines)-titleSize):]
	t.recent = append(t.recent, fresh...)
	t.recent = append(t.recent[:0], t.recent[max(0, len(t.recent)-titleSize):]...)
	if t.state == titleUp {
		t.write(fresh)
	}
	if t.state == titleDown && own {
		t.state = titleStarting
		go t.start()
	}
}

// start starts the process. A failure is not reported: the report would be for
// this process to show. It is tried again at svinit's next line.
func (t *title) start() {
	pid, pipe, err := t.fork()
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err != nil:
		if t.state == titleStarting {
			t.state = titleDown
		}
	case t.state == titleOver:
		t.stop(pid, pipe)
	default:
		t.state, t.pid, t.pipe = titleUp, pid, pipe
		t.write(t.recent)
	}
}

// fork returns the process and the write end of its pipe.
func (t *title) fork() (pid, pipe int, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return 0, -1, err
	}
	null, err := services.OpenNull(nil)
	if err == nil {
		attr := &syscall.ProcAttr{
			// Its argument is memory to be overwritten. It needs no
			// environment, which ps can show too.
			Env:   []string{},
			Files: []uintptr{uintptr(p[0]), uintptr(null), uintptr(null)},
			Sys:   &syscall.SysProcAttr{Setsid: true},
		}
		argv := []string{"readproctitle", "service", "errors:", strings.Repeat(".", titleSize)}
		pid, err = t.procs.Start("/proc/self/exe", argv, attr, nil, func(error) {}, func(syscall.WaitStatus) {})
		unix.Close(null)
		if err == nil {
			t.procs.AwaitExec(pid, 0)
		}
	}
	unix.Close(p[0])
	if err != nil {
		unix.Close(p[1])
		return 0, -1, err
	}
	unix.SetNonblock(p[1], true) // cannot fail
	return pid, p[1], nil
}

// write sends lines to the process. A process that has been killed is started
// again at svinit's next line.
func (t *title) write(lines []byte) {
	if _, err := unix.Write(t.pipe, lines); err == unix.EPIPE {
		unix.Close(t.pipe)
		t.state = titleDown
	}
}

// end ends the process for good. It may be called once.
func (t *title) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == titleUp {
		t.stop(t.pid, t.pipe)
	}
	t.state = titleOver
}

// stop kills the process: it has nothing to lose, and would not see the end of
// its input while it is stopped by a signal.
func (t *title) stop(pid, pipe int) {
	t.procs.Signal(pid, syscall.SIGKILL)
	unix.Close(pipe)
}
