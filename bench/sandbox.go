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

// A sandbox is what one contender runs in: its service directories, its PID and
// mount namespace, its trace.
//
//	ROOT/avail/s0000/run      a hard link to a helper; avail has all services
//	ROOT/scan/s0000           a link to ../avail/s0000; scan has the started ones
//	ROOT/trace  ROOT/stderr
type sandbox struct {
	b        *bench
	root     string
	services int
	trace    *trace
	stderr   *os.File
	pid      int // of its PID 1, in the PID namespace of bench; 0: it has exited
	status   syscall.WaitStatus
	polls    int
}

// A layout says which services a sandbox contains.
type layout struct {
	services int
	unlinked bool   // the services exist but are not in the scan directory
	loggers  bool   // each service has a log/run
	run      string // the helper that is the services' run; "" is service
	cfg      string // content of the file cfg beside run; "": no file
}

// stepTimeout limits every single step of a contender.
const stepTimeout = 20 * time.Second

// environment of all programs. It is small, because some programs read all of it.
var environment = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}

func name(i int) string { return fmt.Sprintf("s%04d", i) }

func (s *sandbox) avail() string    { return filepath.Join(s.root, "avail") }
func (s *sandbox) scan() string     { return filepath.Join(s.root, "scan") }
func (s *sandbox) dir(i int) string { return filepath.Join(s.avail(), name(i)) }

// sandbox makes fresh directories: at the first start of a container, the service
// directories do not contain a supervise directory yet.
func (b *bench) sandbox(l layout) (s *sandbox, err error) {
	s = &sandbox{b: b, services: l.services}
	if s.root, err = os.MkdirTemp(b.tmp, "w"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.trace, err = newTrace(filepath.Join(s.root, "trace")); err != nil {
		return nil, err
	}
	if s.stderr, err = os.Create(filepath.Join(s.root, "stderr")); err != nil {
		return nil, err
	}
	for _, dir := range []string{s.avail(), s.scan()} {
		if err = os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	for i := range l.services {
		if err = s.makeService(i, l); err != nil {
			return nil, err
		}
	}
	// An image is older than its container. runsvdir sleeps for a second if its
	// directory was modified within the current second, which would be unfair.
	modified := time.Now().Add(-time.Hour)
	return s, os.Chtimes(s.scan(), modified, modified)
}

func (s *sandbox) makeService(i int, l layout) error {
	run := l.run
	if run == "" {
		run = "service"
	}
	dirs := []string{s.dir(i)}
	if l.loggers {
		dirs = append(dirs, filepath.Join(s.dir(i), "log"))
	}
	for _, dir := range dirs {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		// All services have the same inode, as instances of one installed program.
		if err := os.Link(s.b.helper(run), filepath.Join(dir, "run")); err != nil {
			return err
		}
	}
	if l.cfg != "" {
		if err := os.WriteFile(filepath.Join(s.dir(i), "cfg"), []byte(l.cfg), 0o644); err != nil {
			return err
		}
	}
	if l.unlinked {
		return nil
	}
	return os.Symlink(filepath.Join("..", "avail", name(i)), filepath.Join(s.scan(), name(i)))
}

// boot executes argv as PID 1 of a new PID namespace. A nil stdout is /dev/null.
// stderr is kept, because it says why a contender failed.
func (s *sandbox) boot(argv []string, stdout *os.File) error {
	launcher, err := s.start(append([]string{"pid1", s.trace.file.Name()}, argv...), stdout)
	if err != nil {
		return err
	}
	if status, err := wait(launcher, stepTimeout); err != nil || status.ExitStatus() != 0 {
		return fmt.Errorf("launch PID 1: exit %d, %v (%s)", status.ExitStatus(), err, s.complaint())
	}
	pid, ok := find(s.trace.read(), 0, stampPID, 0)
	if !ok {
		return fmt.Errorf("launch PID 1: no PID in the trace (%s)", s.complaint())
	}
	s.pid = int(pid.value)
	return nil
}

// running boots a contender in a new sandbox and waits until all of its services
// have started.
func (b *bench) running(c contender, l layout) (*sandbox, error) {
	s, err := b.sandbox(l)
	if err != nil {
		return nil, err
	}
	if err = s.boot(c.argv(s), nil); err == nil {
		_, err = s.started(l.services)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// command runs a client outside of the PID namespace: it communicates with its
// supervisor by files. It returns the time of the exec, in ns, after the client
// has exited.
func (s *sandbox) command(argv ...string) (int64, error) {
	return s.launch(append([]string{"exec", s.trace.file.Name()}, argv...))
}

// link links service i into the scan directory, and then runs the client rescan
// if there is one. It returns the time of the symlink call, in ns.
func (s *sandbox) link(i int, rescan ...string) (int64, error) {
	return s.launch(append([]string{"link", s.trace.file.Name(), s.dir(i), filepath.Join(s.scan(), name(i))}, rescan...))
}

func (s *sandbox) launch(args []string) (int64, error) {
	from := len(s.trace.read())
	pid, err := s.start(args, nil)
	if err != nil {
		return 0, err
	}
	status, err := wait(pid, stepTimeout)
	if err != nil {
		return 0, err
	}
	all := s.trace.read()
	if e, ok := find(all, from, stampExec, 0); ok && status.ExitStatus() == 0 {
		return e.ns, nil
	}
	return 0, fmt.Errorf("%s: exit %d", strings.Join(args, " "), status.ExitStatus())
}

// start starts the helper launch.
func (s *sandbox) start(args []string, stdout *os.File) (int, error) {
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	if stdout == nil {
		stdout = null
	}
	return syscall.ForkExec(s.b.helper("launch"), append([]string{"launch"}, args...), &syscall.ProcAttr{
		Dir:   s.root,
		Env:   append([]string{"SVINIT_SERVICE_DIR=" + s.scan()}, environment...),
		Files: []uintptr{null.Fd(), stdout.Fd(), s.stderr.Fd()},
		Sys:   &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL},
	})
}

// wait is wait4 with a time limit. After the limit the process is killed; if it
// is the PID 1 of a namespace, all processes of the namespace are.
func wait(pid int, limit time.Duration) (status syscall.WaitStatus, err error) {
	timer := time.AfterFunc(limit, func() { syscall.Kill(pid, syscall.SIGKILL) })
	for {
		if _, err = syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			break
		}
	}
	if !timer.Stop() && err == nil {
		err = errTimedOut
	}
	return status, err
}

// until waits until enough returns true for the trace, or PID 1 has exited.
func (s *sandbox) until(limit time.Duration, enough func([]stamp) bool) ([]stamp, error) {
	exited := false
	all, err := s.trace.until(limit, func(all []stamp) bool {
		if enough(all) {
			return true
		}
		if s.polls++; s.polls%64 == 0 {
			pid, err := syscall.Wait4(s.pid, &s.status, syscall.WNOHANG, nil)
			exited = err == nil && pid == s.pid
		}
		return exited
	})
	if exited {
		s.pid = 0
		if !enough(s.trace.read()) {
			return all, fmt.Errorf("PID 1 exited (%s)", s.complaint())
		}
	}
	return all, err
}

// started waits until services 0 to n-1 run, and returns the time from the exec
// of PID 1 to the start of the last.
func (s *sandbox) started(n int) (time.Duration, error) {
	all, err := s.until(stepTimeout, func(all []stamp) bool { return count(all, stampStart) >= n })
	if err != nil {
		return 0, err
	}
	exec, ok := find(all, 0, stampExec, 0)
	if !ok {
		return 0, fmt.Errorf("no exec stamp (%s)", s.complaint())
	}
	last := exec.ns
	for i := range n {
		start, ok := find(all, 0, stampStart, i)
		if !ok {
			return 0, fmt.Errorf("%s did not start, another service started twice", name(i))
		}
		last = max(last, start.ns)
	}
	return time.Duration(last - exec.ns), nil
}

// complaint is the last line that the contender wrote to stderr.
func (s *sandbox) complaint() string {
	text, _ := os.ReadFile(s.stderr.Name())
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// close kills PID 1, and the kernel with it all processes of its namespace, and
// removes the directories.
func (s *sandbox) close() {
	if s == nil {
		return
	}
	if s.pid > 0 {
		syscall.Kill(s.pid, syscall.SIGKILL)
		wait(s.pid, stepTimeout)
		s.pid = 0
	}
	if s.trace != nil {
		s.trace.file.Close()
	}
	if s.stderr != nil {
		s.stderr.Close()
	}
	os.RemoveAll(s.root)
}
