//go:build amd64 || arm64

package signals

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var programs = map[string]func(){
	"report":  reportAll,
	"few":     reportFew,
	"late":    reportLate,
	"busy":    busy,
	"faults":  faulty,
	"private": ownSignals,
	"forks":   forks,
	"back":    writeBehind,
	"await":   awaitFirst,
}

func reportAll() {
	l := mustListen()
	tell("ready")
	report(l)
}

// queue is sigqueue(3) with a value.
func queue(pid int, sig syscall.Signal) error { return queueAs(pid, sig, -1) }

// Every signal arrives, however it is sent, with its sender, in order.
func TestEvery(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*exec.Cmd)
	}{
		{"plain", nil},
		{"ignored", ignoring},
	} {
		t.Run(c.name, func(t *testing.T) { every(t, c.prepare) })
	}
	t.Run("blocked", func(t *testing.T) {
		blocking(t)
		every(t, nil)
	})
}

func every(t *testing.T, prepare func(*exec.Cmd)) {
	p := start(t, "report", prepare)
	p.expect("ready")
	for _, way := range ways {
		if way.name == "tgkill" && strings.HasSuffix(t.Name(), "blocked") {
			continue // which thread gets it cannot be chosen
		}
		catchable(func(sig syscall.Signal) {
			if err := way.send(p.pid, sig); err != nil {
				t.Fatal(err)
			}
			p.expect("%d code %d pid %d uid %d", sig, way.code, os.Getpid(), os.Getuid())
		})
	}
}

func reportFew() {
	l := mustListen(syscall.SIGTERM, syscall.SIGHUP)
	tell("HUP ignored: %v, TERM ignored: %v", l.Ignored(syscall.SIGHUP), l.Ignored(syscall.SIGTERM))
	cat := exec.Command("cat", "/proc/self/status")
	out, err := cat.Output()
	tell("%v %v", sets(string(out)), err)
	if _, err := Listen(); err != nil {
		tell("%v", err)
	}
	report(l)
}

// Other signals are not returned; in children all have their default action.
func TestFew(t *testing.T) {
	p := start(t, "few", func(c *exec.Cmd) {
		c.Args = []string{"sh", "-c", `trap '' HUP USR1 USR2 CONT TSTP PROF 32 33 34 64; exec "$0"`, c.Path}
		c.Path = "/bin/sh"
	})
	p.expect("HUP ignored: true, TERM ignored: false")
	p.expect("[SigPnd: 0000000000000000 SigBlk: 0000000000000000 SigIgn: 0000000000000000 SigCgt: 0000000000000000] <nil>")
	p.expect("this process listens already")
	for _, sig := range []syscall.Signal{syscall.SIGTSTP, syscall.SIGCONT, syscall.SIGPROF, 34, 64, syscall.SIGHUP, syscall.SIGTERM} {
		p.send(sig)
		if sig == syscall.SIGHUP || sig == syscall.SIGTERM {
			p.expect("%d code 0 pid %d uid %d", sig, os.Getpid(), os.Getuid())
		}
	}
}

func reportLate() {
	l := mustListen()
	tell("ready")
	<-input
	report(l)
}

func awaitFirst() {
	l := mustListen()
	tell("%v %v", l.Await(0), l.Await(time.Millisecond))
	tell("%v", l.Await(patience))
	report(l)
}

// A signal for which Await has returned is still returned by Next.
func TestAwait(t *testing.T) {
	p := start(t, "await", nil)
	p.expect("false false")
	p.send(syscall.SIGUSR1)
	p.expect("true")
	p.expect("10 code 0 pid %d uid %d", os.Getpid(), os.Getuid())
}

// With the pipe full, one signal of each kind is still kept, and those that
// arrived before are in order.
func TestOverflow(t *testing.T) {
	p := start(t, "late", nil)
	p.expect("ready")
	const room, more = 65536 / infoSize, 2000
	for range room + more {
		for err := queue(p.pid, 40); err != nil; err = queue(p.pid, 40) {
			if err != unix.EAGAIN { // RLIMIT_SIGPENDING: the receiver is behind
				t.Fatal(err)
			}
			runtime.Gosched()
		}
	}
	// The kernel hands out ILL and its like before signals that have waited longer.
	for pending := true; pending; {
		pending = p.isPending(40)
	}
	missing := make(map[string]bool)
	catchable(func(sig syscall.Signal) {
		if sig == syscall.SIGCONT || sig == syscall.SIGCHLD { // dropped by a stop signal; not reported
			return
		}
		p.send(sig)
		missing[fmt.Sprint(int(sig))] = true
	})
	p.in.Write([]byte{'\n'})
	n := 0
	for len(missing) > 0 {
		line := p.line()
		number, _, _ := strings.Cut(line, " ")
		if n++; n <= 32 && line != fmt.Sprintf("40 code -1 pid %d uid %d", os.Getpid(), os.Getuid()) {
			t.Fatalf("line %d is %s", n, line)
		}
		delete(missing, number)
	}
	p.send(64)
}

// 100,000 signals from 8 senders. Now and then a sender sends a signal of a kind
// that only it sends, and waits until that has been reported.
func TestStorm(t *testing.T) {
	const total, senders, between = 100_000, 8, 200
	p := start(t, "report", nil)
	p.expect("ready")
	var told [65]chan struct{}
	var rare [senders][]syscall.Signal
	n := 0
	catchable(func(sig syscall.Signal) {
		told[sig] = make(chan struct{}, 1<<20)
		if common := sig%10 == 0; !common && sig != syscall.SIGCONT { // which SIGTSTP removes
			rare[n%senders] = append(rare[n%senders], sig)
			n++
		}
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for line := range p.lines {
			var sig int
			if _, err := fmt.Sscanf(line, "%d code", &sig); err != nil {
				t.Errorf("the program says %q", line)
				return
			}
			if sig%10 != 0 {
				told[sig] <- struct{}{}
			}
		}
	}()
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for n := range total / senders {
				if n%between != 0 {
					syscall.Kill(p.pid, syscall.Signal(n%6+1)*10)
					continue
				}
				sig := rare[i][n/between%len(rare[i])]
				syscall.Kill(p.pid, sig)
				select {
				case <-told[sig]:
				case <-time.After(patience):
					t.Errorf("signal %d was lost", sig)
					return
				}
			}
		})
	}
	wg.Wait()
	p.in.Close()
	<-ended
}

// busy runs, for each thread that may run Go code, a goroutine that only
// asynchronous preemption can stop, and collects garbage.
func busy() {
	l := mustListen()
	go report(l)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for i := uint64(1); i != 0; i++ {
			}
		}()
	}
	for range 50 {
		runtime.GC()
	}
	tell("collected")
	<-input
	for range 50 {
		runtime.GC()
	}
	tell("collected")
	<-input
}

// The runtime gets its own SIGURGs, Next those of other processes.
func TestPreemption(t *testing.T) {
	if strings.Contains(os.Getenv("GODEBUG"), "asyncpreemptoff") {
		t.Fatal("without asynchronous preemption this test is of no use")
	}
	p := start(t, "busy", nil)
	p.expect("collected")
	p.send(syscall.SIGURG)
	p.expect("23 code 0 pid %d uid %d", os.Getpid(), os.Getuid())
	p.in.Write([]byte{'\n'})
	for n := 0; ; n++ {
		p.send(syscall.SIGURG)
		line := p.line()
		if line == "collected" {
			break
		}
		if want := fmt.Sprintf("23 code 0 pid %d uid %d", os.Getpid(), os.Getuid()); line != want {
			t.Fatalf("got %q, want %q", line, want)
		}
	}
}

// faulty causes faults of several kinds.
func faulty() {
	l := mustListen()
	debug.SetPanicOnFault(true)
	try := func(f func()) {
		defer func() { tell("recovered %v", recover()) }()
		f()
	}
	var null *int
	zero := 0
	beyond, err := unix.Mmap(emptyFile(), 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
	for range 2 {
		try(func() { *null++ })
		try(func() { tell("%d", 1/zero) })
		try(func() { tell("%v %v", beyond[100], err) })
	}
	tell("ready")
	report(l)
}

func emptyFile() int {
	fd, err := unix.MemfdCreate("empty", 0)
	if err != nil {
		tell("%v", err)
	}
	return fd
}

// Faults are still panics, and the same signals sent by others are returned.
func TestFaults(t *testing.T) {
	p := start(t, "faults", nil)
	for range 2 {
		p.expect("recovered runtime error: invalid memory address or nil pointer dereference")
		p.expect("recovered runtime error: integer divide by zero")
		if line := p.line(); !strings.HasPrefix(line, "recovered runtime error: ") {
			t.Error(line)
		}
	}
	p.expect("ready")
	for _, sig := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGFPE, syscall.SIGBUS, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGSYS} {
		p.send(sig)
		p.expect("%d code 0 pid %d uid %d", sig, os.Getpid(), os.Getuid())
	}
}

// ownSignals causes all those signals to itself that are not to be returned.
func ownSignals() {
	l := mustListen()
	go report(l)

	var p [2]int
	unix.Pipe(p[:])
	unix.Close(p[0])
	_, err := unix.Write(p[1], []byte("x"))
	tell("%v", err)

	unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 10, Max: unix.RLIM_INFINITY})
	fd := emptyFile()
	unix.Write(fd, make([]byte, 10))
	_, err = unix.Write(fd, []byte("x"))
	tell("%v", err)

	// Without cgo, which the race detector needs, this signals all threads.
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0)
	tell("%v", errno == 0 || errno == unix.ENOTSUP)

	err = pprof.StartCPUProfile(io.Discard)
	var used unix.Rusage
	for used.Utime.Usec < 200_000 && used.Utime.Sec == 0 {
		unix.Getrusage(unix.RUSAGE_SELF, &used)
	}
	pprof.StopCPUProfile()
	tell("%v", err)
	<-input
}

// Signals that the process causes itself are not returned: from a broken pipe, a
// file that is too large, the Go runtime and its profiler.
func TestPrivate(t *testing.T) {
	p := start(t, "private", nil)
	p.expect("broken pipe")
	p.expect("file too large")
	p.expect("true")
	p.expect("<nil>")
	for _, sig := range []syscall.Signal{syscall.SIGPIPE, syscall.SIGXFSZ, 33, syscall.SIGPROF} {
		p.send(sig)
		p.expect("%d code 0 pid %d uid %d", sig, os.Getpid(), os.Getuid())
	}
}

// forks starts processes until it can read its input.
func forks() {
	l := mustListen()
	go report(l)
	tell("ready")
	for {
		select {
		case <-input:
			tell("forked")
			<-input
			return
		default:
			pid, err := syscall.ForkExec("/bin/true", []string{"true"}, nil)
			if err != nil {
				tell("%v", err)
			}
			syscall.Wait4(pid, nil, 0, nil)
		}
	}
}

// A child before its exec drops the signals that are sent to it: each signal to
// the process group is reported once.
func TestForks(t *testing.T) {
	p := start(t, "forks", func(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} })
	p.expect("ready")
	for range 3000 {
		if err := syscall.Kill(-p.pid, 34); err != nil {
			t.Fatal(err)
		}
		p.expect("34 code 0 pid %d uid %d", os.Getpid(), os.Getuid())
	}
	p.in.Write([]byte{'\n'})
	p.expect("forked")
	p.fence()
}
