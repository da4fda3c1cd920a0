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

// Svstat is svstat(8).
var Svstat = applet.Command{
	Name:     "svstat",
	Synopsis: "svstat [dir ...]",
	Summary:  "say whether services are up, and for how long",
	Section:  8,
	Help: `Prints a line per service: whether it is up, its process ID, for how many seconds,
and whether that differs from its normal or its wanted state.

A service is a service directory, or its name in the scan directory. Without
arguments it lists every service in the scan directory ($SVINIT_SERVICE_DIR, else
/etc/service) and its logger.
`,
	Run:         runSvstat,
	KeepSignals: []syscall.Signal{syscall.SIGPIPE},
}

func runSvstat(e *applet.Env) error {
	args := e.Args
	if len(args) == 0 {
		var err error
		if args, err = listServices(scanDir(e)); err != nil {
			return applet.Fatal("unable to read directory "+scanDir(e), err)
		}
		if len(args) == 0 {
			note(e, "no service is in "+scanDir(e))
		}
	}
	b := make([]byte, 0, 1024)
	failed := make(map[string]error)
	now := time.Now()
	for _, arg := range args {
		b = append(b, arg...)
		b = append(b, ": "...)
		if len(e.Args) == 0 {
			arg = scanDir(e) + "/" + arg
		}
		b, failed[arg] = appendService(b, e, arg, now)
		b = append(b, '\n')
	}
	// As in daemontools, errors of standard output are ignored.
	e.Stdout.Write(b)
	x := explainer{e: e}
	for _, arg := range e.Args {
		x.explain(arg, failed[arg])
	}
	return nil
}

// appendService appends the status of one service. The checks are in daemontools' order,
// so that the first error is the same.
func appendService(b []byte, e *applet.Env, arg string, now time.Time) ([]byte, error) {
	dir, err := findDir(e, arg)
	if err != nil {
		return appendProblem(b, "unable to chdir: ", err)
	}
	normallyUp, err := isNormallyUp(dir)
	if err != nil {
		return appendProblem(b, "unable to stat down: ", err)
	}
	state, err := findState(e, dir)
	switch err {
	case nil:
	case svdir.ErrNotRunning, svdir.ErrElsewhere:
		return append(b, err.Error()...), nil
	default:
		return appendProblem(b, "unable to open supervise/ok: ", err)
	}
	s, err := svdir.ReadStatus(state)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) && p.Op == "open" {
			return appendProblem(b, "unable to open supervise/status: ", err)
		}
		return appendProblem(b, "unable to read supervise/status: ", err)
	}
	return appendStatus(b, s, normallyUp, now), nil
}

func appendProblem(b []byte, what string, err error) ([]byte, error) {
	return append(append(b, what...), applet.Reason(err)...), err
}

// appendStatus appends the status in daemontools' format, or in one of ours for
// a service whose program hangs before it begins to run, or whose finish runs.
func appendStatus(b []byte, s svdir.Status, normallyUp bool, now time.Time) []byte {
	up := s.PID != 0
	starting := !up && s.Flags&svdir.FlagStarting != 0
	switch {
	case starting:
		b = append(b, "starting "...)
	case up && s.Flags&svdir.FlagFinishing != 0:
		b = append(b, "finishing (pid "...)
		b = strconv.AppendUint(b, uint64(s.PID), 10)
		b = append(b, ") "...)
	case up:
		b = append(b, "up (pid "...)
		b = strconv.AppendUint(b, uint64(s.PID), 10)
		b = append(b, ") "...)
	default:
		b = append(b, "down "...)
	}
	b = strconv.AppendUint(b, s.Age(now), 10)
	b = append(b, " seconds"...)
	if up && !s.Ready.IsZero() {
		b = append(b, ", ready "...)
		b = strconv.AppendUint(b, svdir.Status{Since: s.Ready}.Age(now), 10)
		b = append(b, " seconds"...)
	}
	switch {
	case up && !normallyUp:
		b = append(b, ", normally down"...)
	case starting && !normallyUp:
		b = append(b, ", normally down"...)
	case !up && !starting && normallyUp:
		b = append(b, ", normally up"...)
	}
	if up && s.Paused {
		b = append(b, ", paused"...)
	}
	switch {
	case !up && !starting && s.Want == svdir.WantUp:
		b = append(b, ", want up"...)
	case (up || starting) && s.Want == svdir.WantDown:
		b = append(b, ", want down"...)
	}
	return b
}
