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

// waiting is a svwait that sleeps.
type waiting struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	ended          chan struct{}
}

// startWait starts svwait and returns when it sleeps in poll(2).
func startWait(t *testing.T, dir string, args ...string) *waiting {
	t.Helper()
	return startTool(t, invocation{tool: "svwait", args: args, dir: dir})
}

func startTool(t *testing.T, i invocation) *waiting {
	t.Helper()
	w := &waiting{cmd: i.ours(), ended: make(chan struct{})}
	w.cmd.Stdout, w.cmd.Stderr = &w.stdout, &w.stderr
	must(t, w.cmd.Start())
	go func() { w.cmd.Wait(); close(w.ended) }()
	t.Cleanup(func() { w.cmd.Process.Kill(); <-w.ended })
	await(t, i.tool+" to sleep", func() bool {
		select {
		case <-w.ended:
			t.Fatalf("%s %q ends at once: %s", i.tool, i.args, w.stderr.String())
		default:
		}
		return sleeps(w.cmd.Process.Pid)
	})
	return w
}

// sleeps reports whether a thread of the process sleeps in poll(2), which is
// ppoll to the kernel. Of one that runs the file says just that (proc(5)).
func sleeps(pid int) bool {
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/syscall")
	for _, task := range tasks {
		b, _ := os.ReadFile(task)
		if strings.HasPrefix(string(b), strconv.Itoa(unix.SYS_PPOLL)+" ") {
			return true
		}
	}
	return false
}

// ends waits for the end of svwait.
func (w *waiting) ends(t *testing.T, code int, stderr string) {
	t.Helper()
	select {
	case <-w.ended:
	case <-time.After(20 * time.Second):
		t.Fatalf("svwait %q does not end", w.cmd.Args[1:])
	}
	if got := w.cmd.ProcessState.ExitCode(); got != code || w.stderr.String() != stderr || w.stdout.Len() > 0 {
		t.Errorf("svwait %q: %d, %q, want %d, %q", w.cmd.Args[1:], got, w.stderr.String(), code, stderr)
	}
}

// still fails when svwait has ended, which it must not when it has looked
// again. When it has not yet, a later look finds the same.
func (w *waiting) still(t *testing.T) {
	t.Helper()
	await(t, "svwait to sleep again", func() bool { return sleeps(w.cmd.Process.Pid) })
	select {
	case <-w.ended:
		t.Errorf("svwait %q has ended: %d, %s", w.cmd.Args[1:], w.cmd.ProcessState.ExitCode(), w.stderr.String())
	default:
	}
}

var (
	runs    = svdir.Status{Since: time.Unix(1700000000, 1), PID: 77, Want: svdir.WantUp, State: svdir.StateRun}
	rests   = svdir.Status{Since: time.Unix(1700000001, 1), Want: svdir.WantUp}
	again   = svdir.Status{Since: time.Unix(1700000002, 1), PID: 77, Want: svdir.WantUp, State: svdir.StateRun, Restarts: 1}
	cleanup = svdir.Status{Since: time.Unix(1700000003, 1), PID: 78, Want: svdir.WantDown, State: svdir.StateFinish}
)

// TestSvwait changes the status under the eyes of svwait.
func TestSvwait(t *testing.T) {
	const lost = "svwait: fatal: unable to wait for a: supervise not running\n"
	for _, c := range []struct {
		letter string
		first  svdir.Status
		then   []svdir.Status // that which are not enough, and one that is
	}{
		{"-u", rests, []svdir.Status{rests, cleanup, runs}},
		{"-U", rests, []svdir.Status{cleanup, runs}},
		{"-d", runs, []svdir.Status{runs, rests}},
		{"-d", runs, []svdir.Status{runs, cleanup}},
		{"-D", runs, []svdir.Status{cleanup, rests}},
		{"-r", runs, []svdir.Status{runs, rests, cleanup, again}},
		{"-r", rests, []svdir.Status{cleanup, rests, runs}},
		{"-R", runs, []svdir.Status{rests, again}},
		{"-t60000", rests, []svdir.Status{cleanup, runs}},
	} {
		t.Run(c.letter, func(t *testing.T) {
			t.Parallel()
			root := openDir(t)
			h := supervised(t, root+"/a")
			must(t, h.WriteStatus(c.first))
			w := startWait(t, root, c.letter, "a")
			for n, s := range c.then {
				must(t, h.WriteStatus(s))
				if n < len(c.then)-1 {
					w.still(t)
				}
			}
			w.ends(t, 0, "")
			if got := run(t, invocation{tool: "svwait", args: []string{"-" + strings.Trim(c.letter, "-rRt60") + "o", "a"}, dir: root}.ours()); c.letter[1] != 'r' && c.letter[1] != 'R' && got != (outcome{}) {
				t.Errorf("afterwards: %+v", got)
			}
		})
		t.Run(c.letter+" gone", func(t *testing.T) {
			t.Parallel()
			root := openDir(t)
			h := supervised(t, root+"/a")
			must(t, h.WriteStatus(c.first))
			w := startWait(t, root, c.letter, "a")
			h.Release()
			w.ends(t, 111, lost)
		})
		t.Run(c.letter+" late", func(t *testing.T) {
			t.Parallel()
			root := openDir(t)
			must(t, supervised(t, root+"/a").WriteStatus(c.first))
			got := run(t, invocation{tool: "svwait", args: []string{c.letter, "-t", "10", "a"}, dir: root}.ours())
			if got != (outcome{code: 99, stderr: "svwait: timed out waiting for a\n"}) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestSvwaitBetween: what was so between two looks has been so.
func TestSvwaitBetween(t *testing.T) {
	died := rests
	died.Since = rests.Since.Add(time.Second)
	for _, c := range []struct {
		letter      string
		first, then svdir.Status
	}{
		{"-d", runs, again}, {"-D", runs, again}, {"-u", rests, died}, {"-U", rests, died},
	} {
		t.Run(c.letter, func(t *testing.T) {
			t.Parallel()
			root := openDir(t)
			h := supervised(t, root+"/a")
			must(t, h.WriteStatus(c.first))
			w := startWait(t, root, c.letter, "a")
			must(t, h.WriteStatus(c.then))
			w.ends(t, 0, "")
		})
	}
}

// TestSvwaitSeveral waits for all of several, and for one of them.
func TestSvwaitSeveral(t *testing.T) {
	root := openDir(t)
	a, b := supervised(t, root+"/a"), supervised(t, root+"/b")
	set := func(sa, sb svdir.Status) {
		must(t, a.WriteStatus(sa))
		must(t, b.WriteStatus(sb))
	}
	set(rests, rests)
	w := startWait(t, root, "a", "b")
	set(rests, runs)
	w.still(t)
	set(rests, rests) // it has been up: that is enough
	w.still(t)
	set(runs, rests)
	w.ends(t, 0, "")

	set(rests, rests)
	w = startWait(t, root, "-o", "-u", "a", "b")
	set(rests, runs)
	w.ends(t, 0, "")
	if got := run(t, invocation{tool: "svwait", args: []string{"-ou", "a", "b"}, dir: root}.ours()); got != (outcome{}) {
		t.Errorf("-o: %+v", got)
	}
	if got := run(t, invocation{tool: "svwait", args: []string{"-oau", "-t1", "a", "b"}, dir: root}.ours()); got != (outcome{code: 99, stderr: "svwait: timed out waiting for a\n"}) {
		t.Errorf("-a: %+v", got)
	}

	set(rests, rests)
	w = startWait(t, root, "-o", "a", "b")
	a.Release()
	w.still(t)
	must(t, b.WriteStatus(runs))
	w.ends(t, 0, "")
	must(t, b.WriteStatus(rests))
	a = supervised(t, root+"/a")
	w = startWait(t, root, "-o", "a", "b")
	a.Release()
	w.still(t)
	b.Release()
	w.ends(t, 111, "svwait: fatal: unable to wait for b: supervise not running\n")

	// What it came to before its supervisor went counts.
	a = supervised(t, root+"/a")
	must(t, a.WriteStatus(runs))
	w = startWait(t, root, "-d", "a")
	must(t, a.WriteStatus(rests))
	a.Release()
	w.ends(t, 0, "")
}

func TestSvwaitUse(t *testing.T) {
	root := openDir(t)
	must(t, supervised(t, root+"/a").WriteStatus(runs))
	supervised(t, root+"/stale").Release()
	mkdir(t, root+"/empty")
	put(t, root+"/file", "")
	supervised(t, root+"/short")
	put(t, root+"/short/supervise/status", "short")
	supervised(t, root+"/none")
	must(t, os.Remove(root+"/none/supervise/status"))
	supervised(t, root+"/djb")
	put(t, root+"/djb/supervise/status", string(runs.Append(nil)[:18]))
	const usage = "svwait: usage: " + svwaitSynopsis + "\n"
	for args, want := range map[string]outcome{
		"":                {code: 100, stderr: usage},
		"-u":              {code: 100, stderr: usage},
		"-z a":            {code: 100, stderr: "svwait: illegal option -- z\n" + usage},
		"-t":              {code: 100, stderr: "svwait: option requires an argument -- t\n" + usage},
		"-t x a":          {code: 100, stderr: "svwait: -t wants milliseconds, not \"x\"\n" + usage},
		"-t -1 a":         {code: 100, stderr: "svwait: -t wants milliseconds, not \"-1\"\n" + usage},
		"-t 1s a":         {code: 100, stderr: "svwait: -t wants milliseconds, not \"1s\"\n" + usage},
		"-t 4294967296 a": {code: 100, stderr: "svwait: -t wants milliseconds, not \"4294967296\"\n" + usage},
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
		if got := run(t, invocation{tool: "svwait", args: strings.Fields(args), dir: root}.ours()); got != want {
			t.Errorf("svwait %s: %+v, want %+v", args, got, want)
		}
	}
}

// TestSvwaitLive waits for services of real supervisors.
func TestSvwaitLive(t *testing.T) {
	for program, pkg := range map[string]string{"supervise": "daemontools", "runsv": "runit"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			dir := underReal(t, program, pkg)
			state := dir + "/supervise"
			tell := func(letters string) { must(t, svdir.Send(state, []byte(letters))) }
			w := startWait(t, "/", "-r", dir)
			tell("t")
			w.ends(t, 0, "")
			w = startWait(t, "/", "-d", dir)
			tell("d")
			w.ends(t, 0, "")
			w = startWait(t, "/", "-u", dir)
			tell("u")
			w.ends(t, 0, "")
			tell("d")
			if got := run(t, invocation{tool: "svwait", args: []string{"-D", "-t", "20000", dir}}.ours()); got != (outcome{}) {
				t.Errorf("-D: %+v", got)
			}
			w = startWait(t, "/", "-u", dir)
			tell("x")
			if program == "runsv" { // which waits for the logger
				must(t, svdir.Send(dir+"/log/supervise", []byte("dx")))
			}
			w.ends(t, 111, "svwait: fatal: unable to wait for "+dir+": supervise not running\n")
		})
	}
}
