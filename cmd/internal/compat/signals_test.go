package compat

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"svinit/cmd/internal/difftest"
	"svinit/reaper/proc"
)

// testTimeout bounds every wait.
const testTimeout = 20 * time.Second

// process is a running init.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.Closer
	lines  chan string // of both streams
	heard  []string
	killed *time.Timer
}

// launch starts the program at path.
func launch(t *testing.T, path string, argv []string, env []string, before func(*exec.Cmd)) *process {
	t.Helper()
	p := &process{t: t, cmd: &exec.Cmd{Path: path, Args: argv, Env: append(os.Environ(), env...), Dir: t.TempDir()}, lines: make(chan string, 1000)}
	if before != nil {
		before(p.cmd)
	}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	rd, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = wr, wr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wr.Close()
	p.killed = time.AfterFunc(testTimeout, func() { p.cmd.Process.Kill() })
	go func() {
		defer rd.Close()
		s := bufio.NewScanner(rd)
		for s.Scan() {
			p.lines <- s.Text()
		}
		close(p.lines)
	}()
	t.Cleanup(func() {
		stdin.Close()
		p.killed.Stop()
	})
	return p
}

// hear waits for n lines that end with what.
func (p *process) hear(n int, what string) {
	p.t.Helper()
	limit := time.After(testTimeout)
	for n > 0 {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("%s: no %q in %q", p.cmd.Args, what, p.heard)
			}
			p.heard = append(p.heard, line)
			if strings.HasSuffix(line, what) {
				n--
			}
		case <-limit:
			p.t.Fatalf("%s: no %q in %q", p.cmd.Args, what, p.heard)
		}
	}
}

// end closes the input, waits for the exit, and returns the exit code and the lines about
// signals, sorted.
func (p *process) end() (int, string) {
	p.t.Helper()
	p.stdin.Close()
	p.cmd.Wait()
	if !p.killed.Stop() {
		p.t.Errorf("%s did not exit", p.cmd.Args)
	}
	for line := range p.lines {
		p.heard = append(p.heard, line)
	}
	p.heard = slices.DeleteFunc(p.heard, func(line string) bool {
		return !strings.Contains(line, " got ") || strings.HasSuffix(line, " got 17") // CHLD
	})
	slices.Sort(p.heard)
	// The TERM that dumb-init sends at its exit may or may not reach the child: ignore
	// duplicates.
	return p.cmd.ProcessState.ExitCode(), strings.Join(slices.Compact(p.heard), "\n")
}

// marker is sent after each signal. The kernel delivers pending signals in the order of
// their numbers, and except SIGSYS no signal below 32 has a higher one.
const marker = syscall.SIGPWR

// commonSignals are the signals that all inits forward.
var commonSignals = []int{64, 40, 1, 2, 3, 10, 12, 13, 14, 15, 16, 18, 24, 25, 26, 28, 29}

func TestSignals(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	alone := []string{self, "main"}
	pair := []string{"sh", "-c", `exec 3<&0; "$0" child <&3 & exec "$0" main`, self}
	for _, c := range []struct {
		argv    []string
		env     []string
		program []string
		signals []int
		hear    int // how many processes get the marker
	}{
		{argv: []string{"tini", "-s", "--"}, program: alone, signals: append(commonSignals, 20, 21, 22), hear: 1},
		{argv: []string{"tini", "-s", "--"}, program: pair, signals: commonSignals, hear: 1},
		{argv: []string{"tini", "-sg", "--"}, program: pair, signals: append(commonSignals, 20, 21), hear: 2},
		{argv: []string{"tini", "-s", "--"}, env: []string{"TINI_KILL_PROCESS_GROUP="}, program: pair, signals: []int{15}, hear: 2},
		{argv: []string{"dumb-init"}, program: alone, signals: commonSignals[2:], hear: 1},
		{argv: []string{"dumb-init"}, program: pair, signals: append(commonSignals[2:], 4, 5, 6, 7, 8, 11, 17), hear: 2},
		{argv: []string{"dumb-init", "-c"}, program: pair, signals: commonSignals[2:], hear: 1},
		{argv: []string{"dumb-init"}, env: []string{"DUMB_INIT_SETSID=0"}, program: pair, signals: []int{15, 2}, hear: 1},
		{argv: []string{"dumb-init", "-r", "15:3", "-r", "1:0", "-r2:2", "--rewrite=10:12"}, program: alone, signals: []int{15, 1, 2, 10, 3}, hear: 1},
		{argv: []string{"dumb-init", "-cr", "15:10", "-r15:12"}, program: alone, signals: []int{15}, hear: 1},
		{argv: []string{"catatonit", "--"}, program: alone, signals: append(commonSignals, 20, 21, 22), hear: 1},
		{argv: []string{"catatonit", "-g", "--"}, program: pair, signals: commonSignals, hear: 2},
	} {
		for _, pidOne := range []bool{false, true} {
			t.Run(fmt.Sprint(strings.Join(append(c.argv, c.env...), " "), c.hear, pidOne), func(t *testing.T) {
				before := func(*exec.Cmd) {}
				if pidOne {
					if os.Geteuid() != 0 {
						t.Skip("only root can make a PID namespace")
					}
					before = asPID1
				}
				var codes [2]int
				var heard [2]string
				for i, path := range []string{difftest.Real(t, c.argv[0], c.argv[0]), difftest.Binary()} {
					p := launch(t, path, append(slices.Clone(c.argv), c.program...), append(c.env, actAsListener+"=1"), before)
					ready := 1
					if len(c.program) > 2 {
						ready = 2
					}
					p.hear(ready, " ready")
					for _, sig := range append(slices.Clone(c.signals), int(marker)) {
						p.cmd.Process.Signal(syscall.Signal(sig))
						p.cmd.Process.Signal(marker)
						p.hear(c.hear, " got "+strconv.Itoa(int(marker)))
					}
					codes[i], heard[i] = p.end()
				}
				if codes[0] != codes[1] || heard[0] != heard[1] {
					t.Errorf("theirs: %d\n%s\nours: %d\n%s", codes[0], heard[0], codes[1], heard[1])
				}
			})
		}
	}
}

// waitFor waits until ok returns true. It polls, because the condition depends on another
// process.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(testTimeout)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// processState returns the state of a process, as in 'T' for stopped.
func processState(pid int) byte {
	p, _ := proc.Read(pid)
	return p.State
}

// onlyChild returns the only child of a process, or 0.
func onlyChild(pid int) int {
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, task := range tasks {
		b, _ := os.ReadFile(task)
		if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			return n
		}
	}
	return 0
}

func TestStop(t *testing.T) {
	for _, c := range []struct {
		argv []string
		sig  syscall.Signal
		self bool // the init stops too
	}{
		{[]string{"dumb-init"}, syscall.SIGTSTP, true},
		{[]string{"dumb-init"}, syscall.SIGTTIN, true},
		{[]string{"dumb-init", "-c"}, syscall.SIGTSTP, true},
		{[]string{"dumb-init", "-r", "20:19"}, syscall.SIGTSTP, true},
		{[]string{"tini", "-s", "--"}, syscall.SIGTSTP, false},
	} {
		for i, path := range []string{difftest.Real(t, c.argv[0], c.argv[0]), difftest.Binary()} {
			p := launch(t, path, append(slices.Clone(c.argv), "sh", "-c", "echo ready; exec cat"), nil, func(cmd *exec.Cmd) {
				// In an orphaned process group, such as ours if a daemon has started us,
				// these signals do not stop a process.
				cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			})
			p.hear(1, "ready")
			pid := p.cmd.Process.Pid
			p.cmd.Process.Signal(c.sig)
			waitFor(t, fmt.Sprint(c, i, " to stop"), func() bool {
				return processState(onlyChild(pid)) == 'T' && (processState(pid) == 'T') == c.self
			})
			p.cmd.Process.Signal(syscall.SIGCONT)
			waitFor(t, "it to continue", func() bool { return processState(onlyChild(pid)) != 'T' && processState(pid) != 'T' })
			if code, _ := p.end(); code != 0 {
				t.Errorf("%v %d: exit code %d", c, i, code)
			}
		}
	}
}

// TestNotStoppedAsPID1 checks that the program does not stay stopped if we are PID 1. It
// tests only ours.
func TestNotStoppedAsPID1(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a PID namespace")
	}
	for _, argv := range [][]string{{"dumb-init"}, {"dumb-init", "-c"}, {"tini"}, {"tini", "-g"}, {"catatonit"}, {"svinit"}} {
		for _, sig := range []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU} {
			p := launch(t, difftest.Binary(), append(slices.Clone(argv), "--", "sh", "-c", "echo ready; exec cat"),
				[]string{"SVINIT_SERVICE_DIR="}, asPID1)
			p.hear(1, "ready")
			p.cmd.Process.Signal(sig)
			if code, _ := p.end(); code != 0 {
				t.Errorf("%v, %v: exit code %d", argv, sig, code)
			}
		}
	}
}

// TestParentDeath checks the signal of -p when the parent exits.
func TestParentDeath(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{difftest.Real(t, "tini", "tini"), difftest.Binary()} {
		dir := t.TempDir()
		if err := os.Symlink(path, dir+"/tini"); err != nil {
			t.Fatal(err)
		}
		p := launch(t, "/bin/sh", []string{"sh", "-c", `exec 3<&0; "$0" -p SIGUSR1 -s -- "$1" main <&3 3<&- & exec 3<&- </dev/null; kill -STOP $$`, dir + "/tini", self},
			[]string{actAsListener + "=1"}, nil)
		p.hear(1, " ready")
		waitFor(t, "the shell", func() bool { return processState(p.cmd.Process.Pid) == 'T' })
		p.cmd.Process.Kill()
		p.hear(1, " got 10")
		p.end()
	}
}

// TestReportReaped checks that -w reports reaped orphans.
func TestReportReaped(t *testing.T) {
	for _, path := range []string{difftest.Real(t, "tini", "tini"), difftest.Binary()} {
		p := launch(t, path, []string{"tini", "-sw", "--", "sh", "-c", "sh -c 'sh -c \"echo \\$\\$\" & exit'; exec cat"}, nil, nil)
		line := <-p.lines
		if strings.HasPrefix(line, "[") { // it may precede the shell's line
			<-p.lines
		} else {
			p.hear(1, "Reaped zombie process with pid="+line)
		}
		p.end()
	}
}

// TestPause checks catatonit -P.
func TestPause(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		// The original is ready when it has blocked the signals, for signalfd; ours when
		// it catches them.
		for path, set := range map[string]string{difftest.Real(t, "catatonit", "catatonit"): "SigBlk:\t", difftest.Binary(): "SigCgt:\t"} {
			p := launch(t, path, []string{"catatonit", "-P"}, nil, nil)
			waitFor(t, "its signals", func() bool {
				b, _ := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
				_, after, _ := strings.Cut(string(b), set)
				n, _ := strconv.ParseUint(strings.SplitN(after, "\n", 2)[0], 16, 64)
				return n&(1<<(34-1)) != 0
			})
			p.cmd.Process.Signal(sig)
			if code, _ := p.end(); code != 0 {
				t.Errorf("%s, %v: exit code %d", path, sig, code)
			}
		}
	}
}
