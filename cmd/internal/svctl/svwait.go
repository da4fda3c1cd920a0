package svctl

import (
	"strconv"
	"syscall"
	"time"

	"svinit/cmd/internal/applet"
	"svinit/services/svdir"
)

// Svwait is svwait(8). Its letters and the exit code 99 are those of
// s6-svwait.
var Svwait = applet.Command{
	Name:     "svwait",
	Synopsis: svwaitSynopsis,
	Summary:  "wait until services are up, ready, down or restarted",
	Section:  8,
	Help: `Waits until services are:

  -u  up: the process runs (the default)
  -U  ready: up, and it has notified readiness if it can
  -d  down: the process does not run
  -D  down, and its finish script does not run either
  -r  restarted: the process was started after svwait
  -R  restarted and ready

  -a  wait for all services (the default), each at some time
  -o  wait for one of the services
  -t  timeout in milliseconds; 0, the default, is none

A service is a service directory, or its name in the scan directory. svwait does not
poll. Exit codes: 0, 99 after the timeout, 100 for wrong usage, 111 for a service that
does not exist, is not supervised, or whose supervisor exits.
`,
	Run:         runSvwait,
	KeepSignals: []syscall.Signal{syscall.SIGPIPE},
}

const svwaitSynopsis = "svwait [-u|-U|-d|-D|-r|-R] [-a|-o] [-t milliseconds] service ..."

// exitTimedOut is the exit code after a timeout, as in s6.
const exitTimedOut = 99

// waitTarget is a service that svwait waits for.
type waitTarget struct {
	arg    string
	state  string
	watch  int // its number in the watcher
	before svdir.Status
}

func runSvwait(e *applet.Env) error {
	condition, anyOne := byte('u'), false
	var timeout time.Duration
	o := applet.Options{Args: e.Args, Known: "uUdDrRaot:"}
	for o.Next() {
		switch o.Letter {
		case 'a', 'o':
			anyOne = o.Letter == 'o'
		case 't':
			ms, err := strconv.ParseUint(o.Value, 10, 32)
			if err != nil {
				e.Log("-t takes milliseconds, not " + strconv.Quote(o.Value))
				return applet.ErrUsage
			}
			timeout = time.Duration(ms) * time.Millisecond
		default:
			condition = o.Letter
		}
	}
	if o.Bad != "" {
		e.Log(o.Bad)
		return applet.ErrUsage
	}
	if len(o.Args) == 0 {
		return applet.ErrUsage
	}
	var end time.Time
	if timeout > 0 {
		end = time.Now().Add(timeout)
	}
	w := newWatcher()
	defer w.close()
	pending := make([]*waitTarget, 0, len(o.Args))
	for _, arg := range o.Args {
		t := &waitTarget{arg: arg}
		dir, err := findDir(e, arg)
		if err != nil {
			return applet.Fatal("unable to chdir to "+arg, err)
		}
		if t.state, err = findState(e, dir); err != nil {
			return applet.Fatal("unable to wait for "+arg, err)
		}
		t.watch = w.add(t.state)
		if w.err != nil {
			return applet.Fatal("unable to watch "+t.state, w.err)
		}
		// After add, so that no change is missed.
		if t.before, err = svdir.ReadStatus(t.state); err != nil {
			return applet.Fatal("unable to read "+t.state+"/status", err)
		}
		pending = append(pending, t)
	}
	return waitUntil(w, pending, condition, anyOne, end)
}

// waitUntil waits until one or all services have reached the condition.
func waitUntil(w *watcher, pending []*waitTarget, condition byte, anyOne bool, end time.Time) error {
	for {
		// Poll before reading: the last status that a supervisor wrote before
		// its exit counts.
		w.poll()
		expired := !end.IsZero() && !time.Now().Before(end)
		var gone *waitTarget
		remaining := pending[:0]
		for _, t := range pending {
			s, err := svdir.ReadStatus(t.state)
			if w.supervisorGone(t.watch) {
				t.before = s // the status may be that of a new supervisor: do not compare
			}
			switch {
			case err == nil && isReached(condition, s, t.before):
				if anyOne {
					return nil
				}
				w.drop(t.watch)
			case w.supervisorGone(t.watch) && !anyOne:
				return applet.Fatal("unable to wait for "+t.arg, svdir.ErrNotRunning)
			case w.supervisorGone(t.watch):
				gone = t
				w.drop(t.watch)
			default:
				remaining = append(remaining, t)
			}
		}
		pending = remaining
		switch {
		case len(pending) == 0 && gone != nil:
			return applet.Fatal("unable to wait for "+gone.arg, svdir.ErrNotRunning)
		case len(pending) == 0:
			return nil
		case expired:
			names := ""
			for _, t := range pending {
				names += " " + t.arg
			}
			return &applet.Exit{Code: exitTimedOut, Line: "svwait: timed out waiting for" + names}
		}
		w.wait(end)
	}
}

// isReached reports whether a service is in the condition of an option letter, or has
// been in it since before: a service that exits may be up again before we read its
// status. A service that does not notify readiness is ready when it is up.
func isReached(condition byte, s, before svdir.Status) bool {
	up := s.PID != 0 && s.State == svdir.StateRun
	if s.Flags&svdir.FlagReadiness != 0 && s.Ready.IsZero() && (condition == 'U' || condition == 'R') {
		return false
	}
	switch condition {
	case 'd':
		return !up || before.PID != 0 && restarted(s, before)
	case 'D':
		return s.PID == 0 || up && before.PID != 0 && restarted(s, before)
	case 'r', 'R':
		return up && restarted(s, before)
	}
	// Since is the time of the last start or exit.
	return up || s.PID == 0 && before.PID == 0 && !s.Since.Equal(before.Since)
}
