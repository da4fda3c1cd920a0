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
	"svinit/services/signame"
)

// FatalSignals are the signals whose default action ends a program, without those
// that the Go runtime uses for faults (SEGV, BUS, FPE, ILL).
var FatalSignals = []syscall.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTRAP, unix.SIGABRT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGPIPE,
	unix.SIGALRM, unix.SIGTERM, unix.SIGSTKFLT, unix.SIGXCPU, unix.SIGXFSZ, unix.SIGVTALRM, unix.SIGPROF, unix.SIGIO,
	unix.SIGPWR, unix.SIGSYS, 34, 50, 64,
}

// CompareSignals sends each of FatalSignals that is not in except to both programs
// while they wait. It fails if they do not exit in the same way.
func CompareSignals(t *testing.T, pkg, dir string, argv []string, except ...syscall.Signal) {
	t.Helper()
	real := Real(t, argv[0], pkg)
	for _, sig := range FatalSignals {
		if slices.Contains(except, sig) {
			continue
		}
		if theirs, ours := outcomeOfSignal(t, real, dir, argv, sig), outcomeOfSignal(t, binary, dir, argv, sig); theirs != ours {
			t.Errorf("%q, %s: theirs %s, ours %s", argv, signame.Full(sig), theirs, ours)
		}
	}
}

func outcomeOfSignal(t *testing.T, path, dir string, argv []string, sig syscall.Signal) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := &exec.Cmd{Path: path, Args: argv, Dir: dir, Stderr: &stderr}
	stdin, err := cmd.StdinPipe()
	must(t, err)
	defer stdin.Close()
	must(t, cmd.Start())
	timeout := time.AfterFunc(runTimeout, func() { cmd.Process.Kill() })
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !isWaiting(cmd.Process.Pid) {
		<-tick.C // timeout kills the process, which ends the loop
		if cmd.Process.Signal(syscall.Signal(0)) != nil {
			break
		}
	}
	must(t, cmd.Process.Signal(sig))
	// Then close its input, which ends its children, and itself if it survives the
	// signal. Wait first, so that the Go runtime handles the signal before it sees
	// the end of the input.
	for begin := time.Now(); !isZombie(cmd.Process.Pid) && time.Since(begin) < time.Second; {
		<-tick.C
	}
	stdin.Close()
	cmd.Wait()
	if !timeout.Stop() {
		return "nothing"
	}
	return strings.TrimSpace(cmd.ProcessState.String() + " " + stderr.String())
}

// isWaiting reports whether a thread of the process is in a system call in which
// tools wait, and in which idle threads of the Go runtime do not.
func isWaiting(pid int) bool {
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

// isZombie reports whether a process has exited and has not been waited for.
func isZombie(pid int) bool {
	p, _ := proc.Read(pid)
	return p.State == 'Z'
}
