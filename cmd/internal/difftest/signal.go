package difftest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"svinit/reaper/proc"
)

// Deadly are the signals that end a program that does nothing about them, but
// for the faults, which are the Go runtime's.
var Deadly = []syscall.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTRAP, unix.SIGABRT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGPIPE,
	unix.SIGALRM, unix.SIGTERM, unix.SIGSTKFLT, unix.SIGXCPU, unix.SIGXFSZ, unix.SIGVTALRM, unix.SIGPROF, unix.SIGIO,
	unix.SIGPWR, unix.SIGSYS, 34, 50, 64,
}

// CompareSignals sends each of the deadly signals but those in except to both
// programs while they wait, and fails where they do not end alike.
func CompareSignals(t *testing.T, pkg, dir string, argv []string, except ...syscall.Signal) {
	t.Helper()
	real := Real(t, argv[0], pkg)
	for _, sig := range Deadly {
		if slices.Contains(except, sig) {
			continue
		}
		if theirs, ours := signalled(t, real, dir, argv, sig), signalled(t, binary, dir, argv, sig); theirs != ours {
			t.Errorf("%q, %s: theirs %s, ours %s", argv, unix.SignalName(sig), theirs, ours)
		}
	}
}

func signalled(t *testing.T, path, dir string, argv []string, sig syscall.Signal) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := &exec.Cmd{Path: path, Args: argv, Dir: dir, Stderr: &stderr}
	stdin, err := cmd.StdinPipe()
	must(t, err)
	defer stdin.Close()
	must(t, cmd.Start())
	late := time.AfterFunc(limit, func() { cmd.Process.Kill() })
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !waits(cmd.Process.Pid) {
		<-tick.C // late ends it, and with it the process
		if cmd.Process.Signal(syscall.Signal(0)) != nil {
			break
		}
	}
	must(t, cmd.Process.Signal(sig))
	// The end of its input may not overtake the signal on its way through the
	// Go runtime. It is for what it has started, and for itself if it lives on.
	for begin := time.Now(); !dead(cmd.Process.Pid) && time.Since(begin) < time.Second; {
		<-tick.C
	}
	stdin.Close()
	cmd.Wait()
	if !late.Stop() {
		return "nothing"
	}
	return strings.TrimSpace(cmd.ProcessState.String() + " " + stderr.String())
}

// waits reports whether a thread of the process waits in a system call that a
// tool waits in, and no thread of the Go runtime does.
func waits(pid int) bool {
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/syscall")
	for _, task := range tasks {
		b, _ := os.ReadFile(task)
		number, _, _ := strings.Cut(string(b), " ")
		if n, err := strconv.Atoi(number); err == nil && slices.Contains([]int{unix.SYS_READ, unix.SYS_PPOLL, unix.SYS_FLOCK, unix.SYS_FCNTL, unix.SYS_WAIT4}, n) {
			return true
		}
	}
	return false
}

// dead reports whether a process has ended and was not waited for yet.
func dead(pid int) bool {
	p, _ := proc.Read(pid)
	return p.State == 'Z'
}
