package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A world is one contender's container: its services, its PID and mount
// namespace, its trace.
//
//	ROOT/avail/s0000/run      a link to a helper; avail is what a user has
//	ROOT/scan/s0000           a link to ../avail/s0000; scan is what is on
//	ROOT/trace  ROOT/stderr
type world struct {
	b        *bench
	root     string
	services int
	trace    *trace
	stderr   *os.File
	pid      int // of its PID 1, as we see it; 0 when it has ended
	status   syscall.WaitStatus
	looks    int
}

// A plan says what a world is to hold.
type plan struct {
	services int
	dark     bool   // services are made but not switched on
	loggers  bool   // each with a log/run
	run      string // the helper that is their run; "" is service
	cfg      string // content of the file cfg beside run
}

// patience is how long any one step of a contender may take.
const patience = 20 * time.Second

// environment is the same for all, and small: some look at all of it.
var environment = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}

func name(i int) string { return fmt.Sprintf("s%04d", i) }

func (w *world) avail() string    { return filepath.Join(w.root, "avail") }
func (w *world) scan() string     { return filepath.Join(w.root, "scan") }
func (w *world) dir(i int) string { return filepath.Join(w.avail(), name(i)) }

// world lays out fresh directories: a container's first start has no supervise/.
func (b *bench) world(p plan) (w *world, err error) {
	w = &world{b: b, services: p.services}
	if w.root, err = os.MkdirTemp(b.tmp, "w"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.trace, err = newTrace(filepath.Join(w.root, "trace")); err != nil {
		return nil, err
	}
	if w.stderr, err = os.Create(filepath.Join(w.root, "stderr")); err != nil {
		return nil, err
	}
	if p.run == "" {
		p.run = "service"
	}
	for _, dir := range []string{w.avail(), w.scan()} {
		if err = os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	for i := range p.services {
		dirs := []string{w.dir(i)}
		if p.loggers {
			dirs = append(dirs, filepath.Join(w.dir(i), "log"))
		}
		for _, dir := range dirs {
			if err = os.Mkdir(dir, 0o755); err != nil {
				return nil, err
			}
			// A hard link: the same inode for all, as one program installed once.
			if err = os.Link(b.tool(p.run), filepath.Join(dir, "run")); err != nil {
				return nil, err
			}
		}
		if p.cfg != "" {
			if err = os.WriteFile(filepath.Join(w.dir(i), "cfg"), []byte(p.cfg), 0o644); err != nil {
				return nil, err
			}
		}
		if !p.dark {
			if err = os.Symlink(w.dir(i), filepath.Join(w.scan(), name(i))); err != nil {
				return nil, err
			}
		}
	}
	// An image is older than its container. runsvdir sleeps a second when its
	// directory was changed within the current one, which would not be fair.
	old := time.Now().Add(-time.Hour)
	return w, os.Chtimes(w.scan(), old, old)
}

// boot makes argv the first process of a new PID namespace. A nil stdout is
// /dev/null; stderr is kept, to say why a contender failed.
func (w *world) boot(argv []string, stdout *os.File) error {
	sys := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
	pid, err := w.start(append([]string{"pid1", w.trace.file.Name()}, argv...), stdout, sys)
	w.pid = pid
	return err
}

// command runs a client outside the namespace: what it talks to are files.
// It comes back when the client has ended, with the moment of its exec.
func (w *world) command(argv ...string) (int64, error) {
	return w.launch(append([]string{"exec", w.trace.file.Name()}, argv...))
}

// link switches service i on, and then runs nudge if there is one. It comes
// back with the moment of the symlink call.
func (w *world) link(i int, nudge ...string) (int64, error) {
	return w.launch(append([]string{"link", w.trace.file.Name(), w.dir(i), filepath.Join(w.scan(), name(i))}, nudge...))
}

func (w *world) launch(args []string) (int64, error) {
	from := len(w.trace.read())
	pid, err := w.start(args, nil, nil)
	if err != nil {
		return 0, err
	}
	status, err := wait(pid, patience)
	if err != nil {
		return 0, err
	}
	all := w.trace.read()
	if s, ok := find(all, from, stampExec, 0); ok && status.ExitStatus() == 0 {
		return s.ns, nil
	}
	return 0, fmt.Errorf("%s: exit %d", strings.Join(args, " "), status.ExitStatus())
}

func (w *world) start(args []string, stdout *os.File, sys *syscall.SysProcAttr) (int, error) {
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	if stdout == nil {
		stdout = null
	}
	return syscall.ForkExec(w.b.tool("launch"), append([]string{"launch"}, args...), &syscall.ProcAttr{
		Dir:   w.root,
		Env:   append([]string{"SVINIT_SERVICE_DIR=" + w.scan()}, environment...),
		Files: []uintptr{null.Fd(), stdout.Fd(), w.stderr.Fd()},
		Sys:   sys,
	})
}

// wait is wait4 with a limit, after which the process is killed: with the
// first process of a namespace, everything in it.
func wait(pid int, limit time.Duration) (status syscall.WaitStatus, err error) {
	late := time.AfterFunc(limit, func() { syscall.Kill(pid, syscall.SIGKILL) })
	for {
		if _, err = syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			break
		}
	}
	if !late.Stop() && err == nil {
		err = errTimedOut
	}
	return status, err
}

// until watches the trace, and the contender's life.
func (w *world) until(limit time.Duration, enough func([]stamp) bool) ([]stamp, error) {
	gone := false
	all, err := w.trace.until(limit, func(all []stamp) bool {
		if enough(all) {
			return true
		}
		if w.looks++; w.looks%64 == 0 {
			pid, err := syscall.Wait4(w.pid, &w.status, syscall.WNOHANG, nil)
			gone = err == nil && pid == w.pid
		}
		return gone
	})
	if gone && !enough(w.trace.read()) {
		w.pid = 0
		return all, fmt.Errorf("PID 1 ended (%s)", w.complaint())
	}
	return all, err
}

// up waits until services 0..n-1 run, and says how long after exec the last did.
func (w *world) up(n int) (time.Duration, error) {
	all, err := w.until(patience, func(all []stamp) bool { return count(all, stampBorn) >= n })
	if err != nil {
		return 0, err
	}
	born, ok := find(all, 0, stampExec, 0)
	if !ok {
		return 0, fmt.Errorf("no exec stamp (%s)", w.complaint())
	}
	last := born.ns
	for i := range n {
		s, ok := find(all, 0, stampBorn, i)
		if !ok {
			return 0, fmt.Errorf("%s started twice, another not at all", name(i))
		}
		last = max(last, s.ns)
	}
	return time.Duration(last - born.ns), nil
}

// complaint is the last line on the contender's stderr.
func (w *world) complaint() string {
	text, _ := os.ReadFile(w.stderr.Name())
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// close ends the world: killing its PID 1 makes the kernel end all others.
func (w *world) close() {
	if w == nil {
		return
	}
	if w.pid > 0 {
		syscall.Kill(w.pid, syscall.SIGKILL)
		wait(w.pid, patience)
		w.pid = 0
	}
	if w.trace != nil {
		w.trace.file.Close()
	}
	if w.stderr != nil {
		w.stderr.Close()
	}
	os.RemoveAll(w.root)
}
