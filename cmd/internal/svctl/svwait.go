package svctl

import (
	"errors"
	"io/fs"
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

  -u  up: the process runs, for 0.3 seconds at least (the default)
  -U  ready: up, and it has notified readiness if it can
  -d  down: the process does not run
  -D  down, and its finish script does not run either
  -r  restarted: the process was started after svwait
  -R  restarted and ready

  -a  wait for all services (the default), each at some time
  -o  wait for one of the services
  -t  timeout in milliseconds; 0, the default, is none

A service is a service directory, or its name in the scan directory. svwait does not
poll. For a service that is in the scan directory and not supervised yet, it waits as
well, while svinit runs. Exit codes: 0, 99 after the timeout, 100 for wrong usage, 111
for a service that does not exist, is not supervised, or whose supervisor exits.
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
	watch  int          // its number in the watcher, unsupervised while there is no supervisor
	before svdir.Status // as svwait found it; zero if it was not supervised then
}

// unsupervised is the number of a service that is about to be supervised.
const unsupervised = -1

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
		if err := t.find(e, w); err != nil {
			x := explainer{e: e}
			x.explain(arg, err)
			return err
		}
		if t.watch != unsupervised {
			// After find, so that no change is missed.
			var err error
			if t.before, err = svdir.ReadStatus(t.state); err != nil {
				return applet.Fatal("unable to read "+t.state+"/status", err)
			}
		}
		pending = append(pending, t)
	}
	return waitUntil(e, w, pending, condition, anyOne, end)
}

// find looks for the supervisor of the service and watches it. Without an error there is
// one, or there will be: then t.watch is unsupervised, and what precedes is watched.
func (t *waitTarget) find(e *applet.Env, w *watcher) error {
	t.watch = unsupervised
	dir, err := findDir(e, t.arg)
	if err != nil {
		return applet.Fatal("unable to chdir to "+t.arg, err)
	}
	t.state, err = findState(e, dir)
	if isAbsent(err) {
		if scanner, ok := expects(e, dir); ok {
			w.expect(e, dir, scanner)
			// It may have come before expect.
			if t.state, err = findState(e, dir); isAbsent(err) {
				return nil
			}
		}
	}
	if err != nil {
		return applet.Fatal("unable to wait for "+t.arg, err)
	}
	t.watch = w.add(t.state)
	if w.err != nil {
		return applet.Fatal("unable to watch "+t.state, w.err)
	}
	return nil
}

// isAbsent reports whether an error of findState means that nobody supervises here.
// Another container that has the directory as well is no reason why we should not.
func isAbsent(err error) bool {
	return err == svdir.ErrNotRunning || err == svdir.ErrElsewhere || errors.Is(err, fs.ErrNotExist)
}

// waitUntil waits until one or all services have reached the condition.
func waitUntil(e *applet.Env, w *watcher, pending []*waitTarget, condition byte, anyOne bool, end time.Time) error {
	for {
		// Poll before reading: the last status that a supervisor wrote before
		// its exit counts.
		w.poll()
		now := time.Now()
		expired := !end.IsZero() && !now.Before(end)
		var lost error
		next := end
		remaining := pending[:0]
		for _, t := range pending {
			reached, again, err := t.look(e, w, condition, now)
			switch {
			case reached && anyOne:
				return nil
			case reached:
			case err != nil && !anyOne:
				return err
			case err != nil:
				lost = err
			default:
				next = earlier(next, again)
				remaining = append(remaining, t)
				continue
			}
			if t.watch != unsupervised {
				w.drop(t.watch)
			}
		}
		pending = remaining
		switch {
		case len(pending) == 0 && lost != nil:
			return lost
		case len(pending) == 0:
			return nil
		case expired:
			names := ""
			for _, t := range pending {
				names += " " + t.arg
			}
			return &applet.Exit{Code: exitTimedOut, Line: "svwait: timed out waiting for" + names}
		}
		w.wait(next)
	}
}

// look reports whether the service has reached the condition and if not, when to look
// again without an event. The error says that there is nothing to wait for any more.
func (t *waitTarget) look(e *applet.Env, w *watcher, condition byte, now time.Time) (reached bool, again time.Time, err error) {
	if t.watch == unsupervised {
		if err := t.find(e, w); err != nil || t.watch == unsupervised {
			return false, time.Time{}, err
		}
	}
	s, err := svdir.ReadStatus(t.state)
	gone := w.supervisorGone(t.watch)
	if gone {
		t.before = s // the status may be that of a new supervisor: do not compare
	}
	if s.PID != 0 {
		again = settles(s, time.Now())
	}
	if err == nil && isReached(condition, s, t.before, again.IsZero()) {
		return true, time.Time{}, nil
	}
	if gone {
		w.drop(t.watch)
		t.before = svdir.Status{}
		if err := t.find(e, w); errors.Is(err, fs.ErrNotExist) {
			return false, time.Time{}, applet.Fatal("unable to wait for "+t.arg, svdir.ErrNotRunning)
		} else if err != nil {
			return false, time.Time{}, err
		}
		return false, now, nil
	}
	return false, again, nil
}

// isReached reports whether a service is in the condition of an option letter, or has
// been down since before: a service that exits may be up again before we read its status.
// The opposite does not count: a service that was up for a moment did not settle. A
// service that does not notify readiness is ready when it is up.
func isReached(condition byte, s, before svdir.Status, settled bool) bool {
	up := s.PID != 0 && s.State == svdir.StateRun
	if s.Flags&svdir.FlagReadiness != 0 && s.Ready.IsZero() && (condition == 'U' || condition == 'R') {
		return false
	}
	switch condition {
	case 'd':
		return !up && !isStarting(s) || before.PID != 0 && restarted(s, before)
	case 'D':
		return s.PID == 0 && !isStarting(s) || up && before.PID != 0 && restarted(s, before)
	case 'r', 'R':
		return up && settled && restarted(s, before)
	}
	return up && settled
}
