package svctl

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/svdir"
)

// runningTool is a tool that waits.
type runningTool struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	ended          chan struct{}
}

// startWait starts svwait and returns when it is in poll(2).
func startWait(t *testing.T, dir string, args ...string) *runningTool {
	t.Helper()
	return startTool(t, invocation{tool: "svwait", args: args, dir: dir})
}

func startTool(t *testing.T, i invocation) *runningTool {
	t.Helper()
	w := &runningTool{cmd: i.ours(), ended: make(chan struct{})}
	w.cmd.Stdout, w.cmd.Stderr = &w.stdout, &w.stderr
	must(t, w.cmd.Start())
	go func() { w.cmd.Wait(); close(w.ended) }()
	t.Cleanup(func() { w.cmd.Process.Kill(); <-w.ended })
	waitFor(t, i.tool+" to sleep", func() bool {
		select {
		case <-w.ended:
			t.Fatalf("%s %q ends at once: %s", i.tool, i.args, w.stderr.String())
		default:
		}
		return isPolling(w.cmd.Process.Pid)
	})
	return w
}

// isPolling reports whether a thread of the process is in poll(2), which is the system call
// ppoll. For a thread that runs, the file syscall contains "running" (proc(5)).
func isPolling(pid int) bool {
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/syscall")
	for _, task := range tasks {
		b, _ := os.ReadFile(task)
		if strings.HasPrefix(string(b), strconv.Itoa(unix.SYS_PPOLL)+" ") {
			return true
		}
	}
	return false
}

// checkExit waits for the exit of the tool, and checks its exit code and stderr.
func (w *runningTool) checkExit(t *testing.T, code int, stderr string) {
	t.Helper()
	select {
	case <-w.ended:
	case <-time.After(20 * time.Second):
		t.Fatalf("svwait %q does not exit", w.cmd.Args[1:])
	}
	if got := w.cmd.ProcessState.ExitCode(); got != code || w.stderr.String() != stderr || w.stdout.Len() > 0 {
		t.Errorf("svwait %q: %d, %q, want %d, %q", w.cmd.Args[1:], got, w.stderr.String(), code, stderr)
	}
}

// checkWaiting fails if the tool has exited. If it has not handled the last change yet, a
// later call finds the mistake.
func (w *runningTool) checkWaiting(t *testing.T) {
	t.Helper()
	waitFor(t, "svwait to sleep again", func() bool { return isPolling(w.cmd.Process.Pid) })
	select {
	case <-w.ended:
		t.Errorf("svwait %q has ended: %d, %s", w.cmd.Args[1:], w.cmd.ProcessState.ExitCode(), w.stderr.String())
	default:
	}
}

var (
	statusUp        = svdir.Status{Since: time.Unix(1700000000, 1), PID: 77, Want: svdir.WantUp, State: svdir.StateRun}
	statusDown      = svdir.Status{Since: time.Unix(1700000001, 1), Want: svdir.WantUp}
	statusRestarted = svdir.Status{Since: time.Unix(1700000002, 1), PID: 77, Want: svdir.WantUp, State: svdir.StateRun, Restarts: 1}
	statusFinish    = svdir.Status{Since: time.Unix(1700000003, 1), PID: 78, Want: svdir.WantDown, State: svdir.StateFinish}
)

// TestSvwait changes the status while svwait waits.
func TestSvwait(t *testing.T) {
	const lost = "svwait: fatal: unable to wait for a: supervise not running\n"
	for _, c := range []struct {
		letter string
		first  svdir.Status
		then   []svdir.Status // changes after which it still waits, and one after which it exits
	}{
		{"-u", statusDown, []svdir.Status{statusDown, statusFinish, statusUp}},
		{"-U", statusDown, []svdir.Status{statusFinish, statusUp}},
		{"-d", statusUp, []svdir.Status{statusUp, statusDown}},
		{"-d", statusUp, []svdir.Status{statusUp, statusFinish}},
		{"-D", statusUp, []svdir.Status{statusFinish, statusDown}},
		{"-r", statusUp, []svdir.Status{statusUp, statusDown, statusFinish, statusRestarted}},
		{"-r", statusDown, []svdir.Status{statusFinish, statusDown, statusUp}},
		{"-R", statusUp, []svdir.Status{statusDown, statusRestarted}},
		{"-t60000", statusDown, []svdir.Status{statusFinish, statusUp}},
	} {
		t.Run(c.letter, func(t *testing.T) {
			t.Parallel()
			root := openDir(t)
			h := makeSupervised(t, root+"/a")
			must(t, h.WriteStatus(c.first))
			w := startWait(t, root, c.letter, "a")
			for n, s := range c.then {
				must(t, h.WriteStatus(s))
				if n < len(c.then)-1 {
					w.checkWaiting(t)
				}
			}
			w.checkExit(t, 0, "")
			if got := runTool(t, invocation{tool: "svwait", args: []string{"-" + strings.Trim(c.letter, "-rRt60") + "o", "a"}, dir: root}.ours()); c.letter[1] != 'r' && c.letter[1] != 'R' && got != (outcome{}) {
				t.Errorf("afterwards: %+v", got)
			}
		})
		t.Run(c.letter+" gone", func(t *testing.T) {
			t.Parallel()
			root := openDir(t)
			h := makeSupervised(t, root+"/a")
			must(t, h.WriteStatus(c.first))
			w := startWait(t, root, c.letter, "a")
			h.Release()
			w.checkExit(t, 111, lost)
		})
		t.Run(c.letter+" late", func(t *testing.T) {
			t.Parallel()
			root := openDir(t)
			must(t, makeSupervised(t, root+"/a").WriteStatus(c.first))
			got := runTool(t, invocation{tool: "svwait", args: []string{c.letter, "-t", "10", "a"}, dir: root}.ours())
			if got != (outcome{code: 99, stderr: "svwait: timed out waiting for a\n"}) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestSvwaitMissedStates checks that svwait notices that a service was down before it
// reads the status.
func TestSvwaitMissedStates(t *testing.T) {
	for _, letter := range []string{"-d", "-D"} {
		t.Run(letter, func(t *testing.T) {
			t.Parallel()
			root := openDir(t)
			h := makeSupervised(t, root+"/a")
			must(t, h.WriteStatus(statusUp))
			w := startWait(t, root, letter, "a")
			must(t, h.WriteStatus(statusRestarted))
			w.checkExit(t, 0, "")
		})
	}
}

// TestSvwaitMoment checks that a service that was up for a moment does not count as up,
// whether svwait has seen the moment or not.
func TestSvwaitMoment(t *testing.T) {
	for _, letter := range []string{"-u", "-U", "-r", "-R"} {
		t.Run(letter, func(t *testing.T) {
			t.Parallel()
			root := openDir(t)
			h := makeSupervised(t, root+"/a")
			must(t, h.WriteStatus(statusDown))
			w := startWait(t, root, letter, "a")
			died := statusDown
			died.Since = statusDown.Since.Add(time.Second)
			must(t, h.WriteStatus(died))
			w.checkWaiting(t)

			up := statusRestarted
			up.Since = time.Now()
			must(t, h.WriteStatus(up))
			w.checkExit(t, 0, "")
			if age := time.Since(up.Since); age < settleTime {
				t.Errorf("it was up after %v", age)
			}

			ready := up
			ready.Since, ready.Ready = time.Now(), time.Now()
			must(t, h.WriteStatus(ready))
			if letter == "-u" {
				if got := runTool(t, invocation{tool: "svwait", args: []string{"-t", "1", "a"}, dir: root}.ours()); got != (outcome{}) {
					t.Errorf("ready: %+v", got)
				}
			}
		})
	}
}

// TestSvwaitStarting checks that a service whose execve hangs is neither up nor down.
func TestSvwaitStarting(t *testing.T) {
	starting := statusDown
	starting.Flags = svdir.FlagStarting
	for letter, then := range map[string]svdir.Status{"-u": statusUp, "-r": statusUp, "-d": statusDown, "-D": statusDown} {
		t.Run(letter, func(t *testing.T) {
			t.Parallel()
			root := openDir(t)
			h := makeSupervised(t, root+"/a")
			must(t, h.WriteStatus(starting))
			w := startWait(t, root, letter, "a")
			must(t, h.WriteStatus(starting))
			w.checkWaiting(t)
			must(t, h.WriteStatus(then))
			w.checkExit(t, 0, "")
		})
	}
}

func TestSettles(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		since time.Time
		ready bool
		want  time.Time
	}{
		{since: now, want: now.Add(settleTime)},
		{since: now.Add(-settleTime + 1), want: now.Add(1)},
		{since: now.Add(-settleTime)},
		{since: now.Add(-time.Hour)},
		{since: now.Add(1)},
		{since: now.Add(time.Hour)},
		{since: now, ready: true},
	} {
		s := svdir.Status{PID: 1, State: svdir.StateRun, Since: c.since}
		if c.ready {
			s.Ready = now
		}
		if got := settles(s, now); !got.Equal(c.want) {
			t.Errorf("%+v: %v, want %v", c, got, c.want)
		}
	}
}

// TestSvwaitSeveral waits for all of several, and for one of them.
func TestSvwaitSeveral(t *testing.T) {
	root := openDir(t)
	a, b := makeSupervised(t, root+"/a"), makeSupervised(t, root+"/b")
	set := func(sa, sb svdir.Status) {
		must(t, a.WriteStatus(sa))
		must(t, b.WriteStatus(sb))
	}
	set(statusDown, statusDown)
	w := startWait(t, root, "a", "b")
	set(statusDown, statusUp)
	w.checkWaiting(t)
	set(statusDown, statusDown) // b has been up, which counts
	w.checkWaiting(t)
	set(statusUp, statusDown)
	w.checkExit(t, 0, "")

	set(statusDown, statusDown)
	w = startWait(t, root, "-o", "-u", "a", "b")
	set(statusDown, statusUp)
	w.checkExit(t, 0, "")
	if got := runTool(t, invocation{tool: "svwait", args: []string{"-ou", "a", "b"}, dir: root}.ours()); got != (outcome{}) {
		t.Errorf("-o: %+v", got)
	}
	if got := runTool(t, invocation{tool: "svwait", args: []string{"-oau", "-t1", "a", "b"}, dir: root}.ours()); got != (outcome{code: 99, stderr: "svwait: timed out waiting for a\n"}) {
		t.Errorf("-a: %+v", got)
	}

	set(statusDown, statusDown)
	w = startWait(t, root, "-o", "a", "b")
	a.Release()
	w.checkWaiting(t)
	must(t, b.WriteStatus(statusUp))
	w.checkExit(t, 0, "")
	must(t, b.WriteStatus(statusDown))
	a = makeSupervised(t, root+"/a")
	w = startWait(t, root, "-o", "a", "b")
	a.Release()
	w.checkWaiting(t)
	b.Release()
	w.checkExit(t, 111, "svwait: fatal: unable to wait for b: supervise not running\n")

	// The last status before the exit of its supervisor counts.
	a = makeSupervised(t, root+"/a")
	must(t, a.WriteStatus(statusUp))
	w = startWait(t, root, "-d", "a")
	must(t, a.WriteStatus(statusDown))
	a.Release()
	w.checkExit(t, 0, "")
}

func TestSvwaitUsage(t *testing.T) {
	root := openDir(t)
	must(t, makeSupervised(t, root+"/a").WriteStatus(statusUp))
	makeSupervised(t, root+"/stale").Release()
	mkdir(t, root+"/empty")
	writeFile(t, root+"/file", "")
	makeSupervised(t, root+"/short")
	writeFile(t, root+"/short/supervise/status", "short")
	makeSupervised(t, root+"/none")
	must(t, os.Remove(root+"/none/supervise/status"))
	makeSupervised(t, root+"/djb")
	writeFile(t, root+"/djb/supervise/status", string(statusUp.Append(nil)[:18]))
	const usage = "svwait: usage: " + svwaitSynopsis + "\n"
	for args, want := range map[string]outcome{
		"":                {code: 100, stderr: usage},
		"-u":              {code: 100, stderr: usage},
		"-z a":            {code: 100, stderr: "svwait: illegal option -- z\n" + usage},
		"-t":              {code: 100, stderr: "svwait: option requires an argument -- t\n" + usage},
		"-t x a":          {code: 100, stderr: "svwait: -t takes milliseconds, not \"x\"\n" + usage},
		"-t -1 a":         {code: 100, stderr: "svwait: -t takes milliseconds, not \"-1\"\n" + usage},
		"-t 1s a":         {code: 100, stderr: "svwait: -t takes milliseconds, not \"1s\"\n" + usage},
		"-t 4294967296 a": {code: 100, stderr: "svwait: -t takes milliseconds, not \"4294967296\"\n" + usage},
		"-t 4294967295 a": {},
		"-t 0 a":          {},
		"-d -u a":         {}, // the last one counts
		"djb":             {},
		"a djb ./a":       {},
		"-- a":            {},
		"missing":         {code: 111, stderr: "svwait: fatal: unable to chdir to missing: file does not exist\n"},
		"a missing":       {code: 111, stderr: "svwait: fatal: unable to chdir to missing: file does not exist\n"},
		"-o a missing":    {code: 111, stderr: "svwait: fatal: unable to chdir to missing: file does not exist\n"},
		"file":            {code: 111, stderr: "svwait: fatal: unable to chdir to file: not a directory\n"},
		"empty":           {code: 111, stderr: "svwait: fatal: unable to wait for empty: file does not exist\n"},
		"stale":           {code: 111, stderr: "svwait: fatal: unable to wait for stale: supervise not running\n"},
		"short":           {code: 111, stderr: "svwait: fatal: unable to read short/supervise/status: bad format\n"},
		"none":            {code: 111, stderr: "svwait: fatal: unable to read none/supervise/status: file does not exist\n"},
	} {
		if got := runTool(t, invocation{tool: "svwait", args: strings.Fields(args), dir: root}.ours()); got != want {
			t.Errorf("svwait %s: %+v, want %+v", args, got, want)
		}
	}
}

// TestSvwaitLive waits for services of real supervisors.
func TestSvwaitLive(t *testing.T) {
	for program, pkg := range map[string]string{"supervise": "daemontools", "runsv": "runit"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			dir := startReal(t, program, pkg)
			state := dir + "/supervise"
			tell := func(letters string) { must(t, svdir.Send(state, []byte(letters))) }
			w := startWait(t, "/", "-r", dir)
			tell("t")
			w.checkExit(t, 0, "")
			w = startWait(t, "/", "-d", dir)
			tell("d")
			w.checkExit(t, 0, "")
			w = startWait(t, "/", "-u", dir)
			tell("u")
			w.checkExit(t, 0, "")
			tell("d")
			if got := runTool(t, invocation{tool: "svwait", args: []string{"-D", "-t", "20000", dir}}.ours()); got != (outcome{}) {
				t.Errorf("-D: %+v", got)
			}
			w = startWait(t, "/", "-u", dir)
			tell("x")
			if program == "runsv" { // which waits for the logger
				must(t, svdir.Send(dir+"/log/supervise", []byte("dx")))
			}
			w.checkExit(t, 111, "svwait: fatal: unable to wait for "+dir+": supervise not running\n")
		})
	}
}
