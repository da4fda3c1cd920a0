package svctl

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"svinit/cmd/internal/difftest"
	"svinit/services/svdir"
)

// TestSvLive commands a service of the real runsv and one of our supervise,
// with the real sv and with ours.
func TestSvLive(t *testing.T) {
	programs := map[string]string{"real": difftest.Real(t, "sv", "runit"), "ours": difftest.Binary()}
	for _, supervisor := range []string{"runsv", "supervise"} {
		for whose, path := range programs {
			t.Run(supervisor+" and sv "+whose, func(t *testing.T) {
				t.Parallel()
				where := difftest.Binary()
				if supervisor == "runsv" {
					where = difftest.Real(t, "runsv", "runit")
				}
				live := &liveSv{dir: under(t, supervisor, where), path: path}
				live.scenario(t, supervisor == "supervise", whose == "ours")
			})
		}
	}
}

type liveSv struct{ dir, path string }

// says runs sv and compares; numbers are N.
func (l *liveSv) says(t *testing.T, args string, code int, want string) {
	t.Helper()
	parent, name := filepath.Split(l.dir)
	got := run(t, &exec.Cmd{Path: l.path, Args: append(append([]string{"sv"}, strings.Fields(args)...), name), Dir: parent, Env: []string{"SVDIR=" + parent}})
	got.stdout = regexp.MustCompile(`[0-9]+`).ReplaceAllString(got.stdout, "N")
	if got.code != code || strings.TrimSuffix(got.stdout, "\n") != want || got.stderr != "" {
		t.Errorf("sv %s: %+v, want %d %q", args, got, code, want)
	}
}

func (l *liveSv) pid(t *testing.T) int {
	t.Helper()
	s, err := svdir.ReadStatus(l.dir + "/supervise")
	must(t, err)
	return s.PID
}

func (l *liveSv) want(t *testing.T) svdir.Want {
	t.Helper()
	s, err := svdir.ReadStatus(l.dir + "/supervise")
	must(t, err)
	return s.Want
}

func (l *liveSv) scenario(t *testing.T, oursServes, oursAsks bool) {
	log := ""
	if !oursServes { // runsv has a logger
		log = "; run: log: (pid N) Ns"
	}
	const up, down = "run: m: (pid N) Ns", "down: m: Ns, normally up"
	l.says(t, "status", 0, up+log)
	l.says(t, "-w 20 stop", 0, "ok: "+down)
	l.says(t, "status", 0, down+log)
	l.says(t, "-w 20 try-restart", 0, "ok: "+down)
	l.says(t, "-w 20 start", 0, "ok: "+up)
	before := l.pid(t)
	if oursServes && oursAsks {
		l.says(t, "-w 20 restart", 0, "ok: "+up)
		if l.pid(t) == before {
			t.Error("restarted, and yet the same process")
		}
	} else { // which may take the second of the start for that of the restart
		l.says(t, "term", 0, "")
		await(t, "restart", func() bool { p := l.pid(t); return p != 0 && p != before })
	}
	must(t, os.Remove(l.dir+"/ready"))
	l.says(t, "-w 20 stop", 0, "ok: "+down)
	l.says(t, "-w 20 start", 0, "ok: "+up)
	await(t, "the service", func() bool { _, err := os.Stat(l.dir + "/ready"); return err == nil && l.pid(t) != 0 })
	l.says(t, "-v pause", 0, "ok: "+up+", paused")
	l.says(t, "-v cont", 0, "ok: "+up)
	l.says(t, "reload", 0, "ok: "+up)
	await(t, "HUP", func() bool { b, _ := os.ReadFile(l.dir + "/signal"); return string(b) == "hangup" })

	// once: 'd' to runsv, nothing in particular to us, which the real sv takes
	// for a command that has had no effect.
	switch {
	case !oursServes:
		l.says(t, "-v once", 0, "ok: "+up+", want down")
	case oursAsks:
		l.says(t, "-v once", 0, "ok: "+up)
	default:
		l.says(t, "once", 0, "")
		await(t, "once", func() bool { return l.want(t) == svdir.WantOnce })
	}
	l.says(t, "up", 0, "")
	await(t, "up", func() bool { return l.want(t) == svdir.WantUp })

	// check is asked again and again.
	must(t, os.WriteFile(l.dir+"/check", []byte("#!/bin/sh\ntest -e answer\n"), 0o755))
	l.says(t, "-w 0 check", 1, "timeout: "+up)
	must(t, os.WriteFile(l.dir+"/check", []byte("#!/bin/sh\ntest -e answer || { echo >answer; exit 1; }\n"), 0o755))
	l.says(t, "-w 20 check", 0, "ok: "+up)

	// One that does not mind TERM.
	must(t, os.WriteFile(l.dir+"/run", []byte("#!/bin/sh\ntrap '' TERM\ntouch proof\nexec sleep 1000\n"), 0o755))
	deaf := func(commands ...string) {
		t.Helper()
		os.Remove(l.dir + "/proof")
		for _, c := range commands {
			l.says(t, c, 0, map[bool]string{true: "ok: " + down}[c == "-w 20 stop"])
		}
		await(t, "the deaf service", func() bool { _, err := os.Stat(l.dir + "/proof"); return err == nil && l.pid(t) != 0 })
	}
	deaf("-w 20 stop", "up")
	l.says(t, "-w 1 stop", 1, "timeout: "+up+", want down, got TERM")
	l.says(t, "-w 1 force-stop", 1, "kill: "+up+", want down, got TERM")
	l.says(t, "-w 20 stop", 0, "ok: "+down)
	deaf("up")
	if oursServes && !oursAsks {
		l.says(t, "-w 1 force-stop", 1, "kill: "+up+", want down, got TERM") // x alone means to us: when it is down
	} else {
		l.says(t, "-w 1 force-shutdown", 1, "kill: "+up+", want down, got TERM")
	}
	l.says(t, "-w 20 shutdown", 0, "ok: m: runsv not running")
	l.says(t, "status", 1, "fail: m: runsv not running")
}

// TestSvEvents changes what sv waits for while it sleeps.
func TestSvEvents(t *testing.T) {
	root := openDir(t)
	mkdir(t, root+"/a")
	one, two := heldAt(t, root+"/one"), heldAt(t, root+"/two")
	must(t, one.WriteStatus(runs))
	must(t, two.WriteStatus(runs))
	must(t, os.Symlink("../one", root+"/a/supervise"))
	must(t, os.Symlink("../two", root+"/next"))
	ends := func(w *waiting, code int, want string) {
		t.Helper()
		select {
		case <-w.ended:
		case <-time.After(20 * time.Second):
			t.Fatalf("sv %q does not end", w.cmd.Args[1:])
		}
		if got := ages.ReplaceAllString(w.stdout.String(), "Ns"); got != want || w.cmd.ProcessState.ExitCode() != code {
			t.Errorf("sv %q: %d %q, want %q", w.cmd.Args[1:], w.cmd.ProcessState.ExitCode(), got, want)
		}
	}
	sv := func(args ...string) *waiting {
		return startTool(t, invocation{tool: "sv", args: append([]string{"-w", "3600"}, args...), dir: root})
	}
	const up, down = "ok: run: ./a: (pid 77) Ns, normally down\n", "ok: down: ./a: Ns\n"
	put(t, root+"/a/down", "")

	w := sv("stop", "./a")
	must(t, one.WriteStatus(svdir.Status{Since: soon, Want: svdir.WantDown}))
	ends(w, 0, down)

	// A restart in the very second of the command is told from none by ours.
	same := svdir.Status{Since: time.Now(), PID: 77, Want: svdir.WantUp, State: svdir.StateRun}
	must(t, one.WriteStatus(same))
	w = sv("restart", "./a")
	same.GotTERM = true
	must(t, one.WriteStatus(same))
	w.still(t)
	must(t, one.WriteStatus(svdir.Status{Since: time.Now(), PID: 77, Want: svdir.WantUp, State: svdir.StateRun, Restarts: 1}))
	ends(w, 0, up)

	// Another supervisor takes over, in another state directory.
	w = sv("stop", "./a")
	must(t, os.Rename(root+"/next", root+"/a/supervise"))
	one.Release()
	w.still(t)
	must(t, two.WriteStatus(svdir.Status{Since: soon, Want: svdir.WantDown}))
	ends(w, 0, down)

	w = sv("shutdown", "./a")
	two.Release()
	ends(w, 0, "ok: ./a: runsv not running\n")
	two = heldAt(t, root+"/two")
	must(t, two.WriteStatus(runs))
	w = sv("stop", "./a")
	two.Release()
	ends(w, 1, "fail: ./a: runsv not running\n")
}
