package pid1

import (
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/reaper"
)

// titleSize is how much of standard error readproctitle(8) shows, in bytes,
// as in daemontools' svscanboot.
const titleSize = 400

// title shows the last of what went wrong where ps shows it, as the argument
// of a process that is called readproctitle:
//
//	readproctitle service errors: ...cannot bind: address in use?svinit: web died: exit code 1
//
// There is no such process until svinit itself has a line to say. From then on
// it is our own program, under that name, which rewrites its argument with
// what comes from a pipe; it is told of what stood on standard error before.
// The pipe is never waited for: who does not keep up misses something.
type title struct {
	procs *reaper.Reaper

	mu     sync.Mutex
	recent []byte // the end of what went to standard error
	pid    int    // of the process, while state is titleUp
	pipe   int    // to it
	state  titleState
}

type titleState int

const (
	titleDown titleState = iota
	titleStarting
	titleUp
	titleOver // the shutdown has come to it
)

// show takes what goes to standard error, and starts the process where own
// says that it is time to. It does not wait.
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

// start starts the process. That it cannot be started is not worth a line,
// which would be for it to show; the next line of svinit's is another chance.
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
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		attr := &syscall.ProcAttr{
			// The argument is memory that is to be overwritten; of our
			// environment, which ps can show too, it needs nothing.
			Env:   []string{},
			Files: []uintptr{uintptr(p[0]), uintptr(null), uintptr(null)},
			Sys:   &syscall.SysProcAttr{Setsid: true},
		}
		argv := []string{"readproctitle", "service", "errors:", strings.Repeat(".", titleSize)}
		pid, err = t.procs.Start("/proc/self/exe", argv, attr, func(syscall.WaitStatus) {})
		unix.Close(null)
	}
	unix.Close(p[0])
	if err != nil {
		unix.Close(p[1])
		return 0, -1, err
	}
	unix.SetNonblock(p[1], true) // cannot fail
	return pid, p[1], nil
}

// write passes lines on. A process that has been killed is started anew when
// svinit says something.
func (t *title) write(lines []byte) {
	if _, err := unix.Write(t.pipe, lines); err == unix.EPIPE {
		unix.Close(t.pipe)
		t.state = titleDown
	}
}

// end lets the process go. It may be called once.
func (t *title) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == titleUp {
		t.stop(t.pid, t.pipe)
	}
	t.state = titleOver
}

// stop ends the process. It holds nothing, and the end of its input would not
// reach it while somebody keeps it stopped.
func (t *title) stop(pid, pipe int) {
	t.procs.Signal(pid, syscall.SIGKILL)
	unix.Close(pipe)
}
