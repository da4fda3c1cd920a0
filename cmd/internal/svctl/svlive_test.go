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

// TestSvLive sends commands to a service of the real runsv and to one of our supervise,
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
				live := &liveService{dir: startSupervisor(t, supervisor, where), path: path}
				live.commands(t, supervisor == "supervise", whose == "ours")
				live.checkAndTimeouts(t, supervisor == "supervise", whose == "ours")
			})
		}
	}
}

type liveService struct{ dir, path string }

// sv runs sv and compares its output, with N for numbers.
func (l *liveService) sv(t *testing.T, args string, code int, want string) {
	t.Helper()
	parent, name := filepath.Split(l.dir)
	got := runTool(t, &exec.Cmd{Path: l.path, Args: append(append([]string{"sv"}, strings.Fields(args)...), name), Dir: parent, Env: []string{"SVDIR=" + parent}})
	got.stdout = regexp.MustCompile(`[0-9]+`).ReplaceAllString(got.stdout, "N")
	if got.code != code || strings.TrimSuffix(got.stdout, "\n") != want || got.stderr != "" {
		t.Errorf("sv %s: %+v, want %d %q", args, got, code, want)
	}
}

func (l *liveService) pid(t *testing.T) int {
	t.Helper()
	s, err := svdir.ReadStatus(l.dir + "/supervise")
	must(t, err)
	return s.PID
}

func (l *liveService) want(t *testing.T) svdir.Want {
	t.Helper()
	s, err := svdir.ReadStatus(l.dir + "/supervise")
	must(t, err)
	return s.Want
}

// commands tests the commands of sv.
func (l *liveService) commands(t *testing.T, oursServes, oursAsks bool) {
	log := ""
	if !oursServes { // runsv has a logger
		log = "; run: log: (pid N) Ns"
	}
	const up, down = "run: m: (pid N) Ns", "down: m: Ns, normally up"
	l.sv(t, "status", 0, up+log)
	l.sv(t, "-w 20 stop", 0, "ok: "+down)
	l.sv(t, "status", 0, down+log)
	l.sv(t, "-w 20 try-restart", 0, "ok: "+down)
	l.sv(t, "-w 20 start", 0, "ok: "+up)
	before := l.pid(t)
	if oursServes && oursAsks {
		l.sv(t, "-w 20 restart", 0, "ok: "+up)
		if l.pid(t) == before {
			t.Error("the same process after a restart")
		}
	} else { // sv may take the start for the restart if both are in the same second
		l.sv(t, "term", 0, "")
		waitFor(t, "restart", func() bool { p := l.pid(t); return p != 0 && p != before })
	}
	must(t, os.Remove(l.dir+"/ready"))
	l.sv(t, "-w 20 stop", 0, "ok: "+down)
	l.sv(t, "-w 20 start", 0, "ok: "+up)
	waitFor(t, "the service", func() bool { _, err := os.Stat(l.dir + "/ready"); return err == nil && l.pid(t) != 0 })
	l.sv(t, "-v pause", 0, "ok: "+up+", paused")
	l.sv(t, "-v cont", 0, "ok: "+up)
	l.sv(t, "reload", 0, "ok: "+up)
	waitFor(t, "HUP", func() bool { b, _ := os.ReadFile(l.dir + "/signal"); return string(b) == "hangup" })

	// After once, runsv has the wanted state 'd'. Ours has 0, with which the real sv
	// waits until its timeout.
	switch {
	case !oursServes:
		l.sv(t, "-v once", 0, "ok: "+up+", want down")
	case oursAsks:
		l.sv(t, "-v once", 0, "ok: "+up)
	default:
		l.sv(t, "once", 0, "")
		waitFor(t, "once", func() bool { return l.want(t) == svdir.WantOnce })
	}
	l.sv(t, "up", 0, "")
	waitFor(t, "up", func() bool { return l.want(t) == svdir.WantUp })
}

// checkAndTimeouts tests check, and commands that a service ignores; it ends the
// supervision.
func (l *liveService) checkAndTimeouts(t *testing.T, oursServes, oursAsks bool) {
	const up, down = "run: m: (pid N) Ns", "down: m: Ns, normally up"
	// check is repeated.
	must(t, os.WriteFile(l.dir+"/check", []byte("#!/bin/sh\ntest -e answer\n"), 0o755))
	l.sv(t, "-w 0 check", 1, "timeout: "+up)
	must(t, os.WriteFile(l.dir+"/check", []byte("#!/bin/sh\ntest -e answer || { echo >answer; exit 1; }\n"), 0o755))
	l.sv(t, "-w 20 check", 0, "ok: "+up)

	// A service that ignores TERM.
	must(t, os.WriteFile(l.dir+"/run", []byte("#!/bin/sh\ntrap '' TERM\ntouch proof\nexec sleep 1000\n"), 0o755))
	deaf := func(commands ...string) {
		t.Helper()
		os.Remove(l.dir + "/proof")
		for _, c := range commands {
			l.sv(t, c, 0, map[bool]string{true: "ok: " + down}[c == "-w 20 stop"])
		}
		waitFor(t, "the deaf service", func() bool { _, err := os.Stat(l.dir + "/proof"); return err == nil && l.pid(t) != 0 })
	}
	deaf("-w 20 stop", "up")
	l.sv(t, "-w 1 stop", 1, "timeout: "+up+", want down, got TERM")
	l.sv(t, "-w 1 force-stop", 1, "kill: "+up+", want down, got TERM")
	l.sv(t, "-w 20 stop", 0, "ok: "+down)
	deaf("up")
	if oursServes && !oursAsks {
		l.sv(t, "-w 1 force-stop", 1, "kill: "+up+", want down, got TERM") // for us x alone does not stop the service
	} else {
		l.sv(t, "-w 1 force-shutdown", 1, "kill: "+up+", want down, got TERM")
	}
	l.sv(t, "-w 20 shutdown", 0, "ok: m: runsv not running")
	l.sv(t, "status", 1, "fail: m: runsv not running")
}

// TestSvWaitsForEvents changes the status while sv waits.
func TestSvWaitsForEvents(t *testing.T) {
	root := openDir(t)
	mkdir(t, root+"/a")
	one, two := holdState(t, root+"/one"), holdState(t, root+"/two")
	must(t, one.WriteStatus(statusUp))
	must(t, two.WriteStatus(statusUp))
	must(t, os.Symlink("../one", root+"/a/supervise"))
	must(t, os.Symlink("../two", root+"/next"))
	ends := func(w *runningTool, code int, want string) {
		t.Helper()
		select {
		case <-w.ended:
		case <-time.After(20 * time.Second):
			t.Fatalf("sv %q does not exit", w.cmd.Args[1:])
		}
		if got := secondsPattern.ReplaceAllString(w.stdout.String(), "Ns"); got != want || w.cmd.ProcessState.ExitCode() != code {
			t.Errorf("sv %q: %d %q, want %q", w.cmd.Args[1:], w.cmd.ProcessState.ExitCode(), got, want)
		}
	}
	sv := func(args ...string) *runningTool {
		return startTool(t, invocation{tool: "sv", args: append([]string{"-w", "3600"}, args...), dir: root})
	}
	const up, down = "ok: run: ./a: (pid 77) Ns, normally down\n", "ok: down: ./a: Ns\n"
	writeFile(t, root+"/a/down", "")

	w := sv("stop", "./a")
	must(t, one.WriteStatus(svdir.Status{Since: inTheFuture, Want: svdir.WantDown}))
	ends(w, 0, down)

	// Ours detects a restart in the same second as the command.
	same := svdir.Status{Since: time.Now(), PID: 77, Want: svdir.WantUp, State: svdir.StateRun}
	must(t, one.WriteStatus(same))
	w = sv("restart", "./a")
	same.GotTERM = true
	must(t, one.WriteStatus(same))
	w.checkWaiting(t)
	must(t, one.WriteStatus(svdir.Status{Since: time.Now(), PID: 77, Want: svdir.WantUp, State: svdir.StateRun, Restarts: 1}))
	ends(w, 0, up)

	// Another supervisor takes over, in another state directory.
	w = sv("stop", "./a")
	must(t, os.Rename(root+"/next", root+"/a/supervise"))
	one.Release()
	w.checkWaiting(t)
	must(t, two.WriteStatus(svdir.Status{Since: inTheFuture, Want: svdir.WantDown}))
	ends(w, 0, down)

	w = sv("shutdown", "./a")
	two.Release()
	ends(w, 0, "ok: ./a: runsv not running\n")
	two = holdState(t, root+"/two")
	must(t, two.WriteStatus(statusUp))
	w = sv("stop", "./a")
	two.Release()
	ends(w, 1, "fail: ./a: runsv not running\n")
}
