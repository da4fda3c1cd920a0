package signals

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A process can call Listen once, and its signals are best sent by another
// process. So the test binary is run again as one of these programs, with its
// output in a pipe, in lines. It exits at the end of its input.
const programVariable = "SIGNALS_TEST_PROGRAM"

// patience bounds every wait.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	run, ok := programs[os.Getenv(programVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	os.Unsetenv(programVariable)
	go func() {
		var b [1]byte
		for {
			if n, err := os.Stdin.Read(b[:]); n == 0 || err != nil {
				os.Exit(0)
			}
			input <- struct{}{}
		}
	}()
	run()
	os.Exit(0)
}

// input has the lines of standard input.
var input = make(chan struct{}, 16)

// tell writes a line, without os.File, which ends the program on EPIPE.
func tell(format string, a ...any) { unix.Write(1, fmt.Appendf(nil, format+"\n", a...)) }

func mustListen(only ...syscall.Signal) *Listener {
	l, err := Listen(only...)
	if err != nil {
		tell("listen: %v", err)
		os.Exit(1)
	}
	return l
}

// report writes all signals but those about our own children.
func report(l *Listener) {
	for {
		s, err := l.Next()
		if err != nil {
			tell("next: %v", err)
			return
		}
		if s.Number == syscall.SIGCHLD && s.Code != 0 && s.Code != -1 && s.Code != -6 {
			continue
		}
		tell("%d code %d pid %d uid %d", s.Number, s.Code, s.PID, s.UID)
	}
}

// program is a running program.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	pid   int
	in    *os.File
	lines chan string
}

// start runs a program, after prepare has changed its command.
func start(t *testing.T, name string, prepare func(*exec.Cmd)) *program {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in, inw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, outw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, cmd: exec.Command(exe), in: inw, lines: make(chan string, 1024)}
	p.cmd.Env = append(os.Environ(), programVariable+"="+name)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = in, outw, outw
	if prepare != nil {
		prepare(p.cmd)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.pid = p.cmd.Process.Pid
	in.Close()
	outw.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		inw.Close()
		kill := time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
		for range p.lines {
		}
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("the program ended with: %v", err)
		}
		kill.Stop()
		<-done
		out.Close()
	})
	return p
}

// line returns the next line.
func (p *program) line() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatal("the program has ended")
		}
		return line
	case <-time.After(patience):
		p.t.Fatal("the program says nothing")
	}
	panic("unreachable")
}

func (p *program) expect(want string, a ...any) {
	p.t.Helper()
	want = fmt.Sprintf(want, a...)
	if got := p.line(); got != want {
		p.t.Fatalf("got %q, want %q", got, want)
	}
}

// fence makes sure that all earlier signals have been reported.
func (p *program) fence() {
	p.t.Helper()
	p.send(64)
	p.expect("64 code 0 pid %d uid %d", os.Getpid(), os.Getuid())
}

// send sends a signal as kill(2) does.
func (p *program) send(sig syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(p.pid, sig); err != nil {
		p.t.Fatal(err)
	}
}

// isPending reports whether the process still has to be handed a signal.
func (p *program) isPending(sig syscall.Signal) bool {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nShdPnd:\t")
	mask, _, _ := strings.Cut(rest, "\n")
	pending, err := strconv.ParseUint(mask, 16, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return pending&(1<<(sig-1)) != 0
}

// ways are ways to send a signal, with the si_code of each.
var ways = []struct {
	name string
	code int
	send func(pid int, sig syscall.Signal) error
}{
	{"kill", 0, syscall.Kill},
	{"tgkill", -6, func(pid int, sig syscall.Signal) error { return unix.Tgkill(pid, pid, sig) }},
	{"sigqueue", -1, queue},
}

// catchable calls f with each signal that Listen catches.
func catchable(f func(sig syscall.Signal)) {
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if all&(1<<(sig-1)) != 0 {
			f(sig)
		}
	}
}

// blocking makes start fork with all signals blocked.
func blocking(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	full, old := unix.Sigset_t{}, unix.Sigset_t{}
	for i := range full.Val {
		full.Val[i] = ^full.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &full, &old); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
		runtime.UnlockOSThread()
	})
}

// ignoring makes the command run with every signal ignored that can be.
func ignoring(c *exec.Cmd) {
	trap := "trap ''"
	catchable(func(sig syscall.Signal) { trap += fmt.Sprint(" ", int(sig)) })
	c.Args = []string{"sh", "-c", trap + `; exec "$0"`, c.Path}
	c.Path = "/bin/sh"
}

// sets returns the lines of /proc/PID/status about signals.
func sets(status string) (sets []string) {
	for line := range strings.Lines(status) {
		if strings.HasPrefix(line, "Sig") && !strings.HasPrefix(line, "SigQ") {
			sets = append(sets, strings.Join(strings.Fields(line), " "))
		}
	}
	return sets
}
