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
	Help: `What is waited for:

  -u  up: its process runs (the default)
  -U  ready: up, and it says so where it can
  -d  down: its process does not run
  -D  down, and nothing of it runs, not even its finish
  -r  restarted: its process was started after svwait
  -R  restarted and ready

  -a  all services must come to that (the default), each at some time
  -o  one is enough
  -t  give up after so many milliseconds; 0, the default, is never

A service is a service directory, or its name in the scan directory. svwait sleeps
until something changes. Exit codes: 0, 99 when the time is over, 100 wrong use, 111
for a service that does not exist, is not supervised, or is no longer.
`,
	Run:         svwait,
	KeepSignals: []syscall.Signal{syscall.SIGPIPE},
}

const svwaitSynopsis = "svwait [-u|-U|-d|-D|-r|-R] [-a|-o] [-t milliseconds] service ..."

// timedOut is the exit code of s6.
const timedOut = 99

// waited is a service that svwait waits for.
type waited struct {
	arg    string
	state  string
	number int // in the vigil
	before svdir.Status
}

func svwait(e *applet.Env) error {
	what, any := byte('u'), false
	var limit time.Duration
	o := applet.Options{Args: e.Args, Known: "uUdDrRaot:"}
	for o.Next() {
		switch o.Letter {
		case 'a', 'o':
			any = o.Letter == 'o'
		case 't':
			ms, err := strconv.ParseUint(o.Value, 10, 32)
			if err != nil {
				e.Log("-t wants milliseconds, not " + strconv.Quote(o.Value))
				return applet.ErrUsage
			}
			limit = time.Duration(ms) * time.Millisecond
		default:
			what = o.Letter
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
	if limit > 0 {
		end = time.Now().Add(limit)
	}
	v := newVigil()
	defer v.close()
	left := make([]*waited, 0, len(o.Args))
	for _, arg := range o.Args {
		w := &waited{arg: arg}
		dir, err := find(e, arg)
		if err != nil {
			return applet.Fatal("unable to chdir to "+arg, err)
		}
		if w.state, err = probe(e, dir); err != nil {
			return applet.Fatal("unable to wait for "+arg, err)
		}
		w.number = v.add(w.state)
		if v.err != nil {
			return applet.Fatal("unable to watch "+w.state, v.err)
		}
		// Only now, when a change wakes us.
		if w.before, err = svdir.ReadStatus(w.state); err != nil {
			return applet.Fatal("unable to read "+w.state+"/status", err)
		}
		left = append(left, w)
	}
	return watch(v, left, what, any, end)
}

// watch sleeps until one or all have come to what is waited for.
func watch(v *vigil, left []*waited, what byte, any bool, end time.Time) error {
	for {
		// Whether it has gone is asked first: what it has written before is
		// what it came to.
		v.look()
		late := !end.IsZero() && !time.Now().Before(end)
		var lost *waited
		still := left[:0]
		for _, w := range left {
			s, err := svdir.ReadStatus(w.state)
			if v.gone(w.number) {
				w.before = s // another supervisor's record says nothing about this one's
			}
			switch {
			case err == nil && reached(what, s, w.before):
				if any {
					return nil
				}
				v.drop(w.number)
			case v.gone(w.number) && !any:
				return applet.Fatal("unable to wait for "+w.arg, svdir.ErrNotRunning)
			case v.gone(w.number):
				lost = w
				v.drop(w.number)
			default:
				still = append(still, w)
			}
		}
		left = still
		switch {
		case len(left) == 0 && lost != nil:
			return applet.Fatal("unable to wait for "+lost.arg, svdir.ErrNotRunning)
		case len(left) == 0:
			return nil
		case late:
			names := ""
			for _, w := range left {
				names += " " + w.arg
			}
			return &applet.Exit{Code: timedOut, Line: "svwait: timed out waiting for" + names}
		}
		v.wait(end)
	}
}

// reached reports whether a service has come to what a letter waits for, or
// has been there since before: a service that dies is up again sooner than we
// can look. No supervisor writes yet whether a service has a way to say that
// it is ready; one that has none is ready when it is up.
func reached(what byte, s, before svdir.Status) bool {
	up := s.PID != 0 && s.State == svdir.StateRun
	switch what {
	case 'd':
		return !up || before.PID != 0 && restarted(s, before)
	case 'D':
		return s.PID == 0 || up && before.PID != 0 && restarted(s, before)
	case 'r', 'R':
		return up && restarted(s, before)
	}
	// The stamp is that of a start or an end.
	return up || s.PID == 0 && before.PID == 0 && !s.Since.Equal(before.Since)
}
