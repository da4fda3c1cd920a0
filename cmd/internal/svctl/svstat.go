package svctl

import (
	"errors"
	"io/fs"
	"os"
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
/etc/service) if standard output is a terminal, or if it is started from outside the
container, as by docker exec. Otherwise it prints nothing, as daemontools does.
`,
	Run:         runSvstat,
	KeepSignals: []syscall.Signal{syscall.SIGPIPE},
}

func runSvstat(e *applet.Env) error {
	args := e.Args
	if len(args) == 0 {
		if !wantsList(e) {
			return nil
		}
		var err error
		if args, err = listServices(scanDir(e)); err != nil {
			return applet.Fatal("unable to read directory "+scanDir(e), err)
		}
	}
	b := make([]byte, 0, 1024)
	now := time.Now()
	for _, arg := range args {
		b = append(b, arg...)
		b = append(b, ": "...)
		if len(e.Args) == 0 {
			arg = scanDir(e) + "/" + arg
		}
		b = appendService(b, e, arg, now)
		b = append(b, '\n')
	}
	// As in daemontools, errors of standard output are ignored.
	e.Stdout.Write(b)
	return nil
}

// appendService appends the status of one service. The checks are in daemontools' order,
// so that the first error is the same.
func appendService(b []byte, e *applet.Env, arg string, now time.Time) []byte {
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
		return append(b, err.Error()...)
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
	return appendStatus(b, s, normallyUp, now)
}

func appendProblem(b []byte, what string, err error) []byte {
	return append(append(b, what...), applet.Reason(err)...)
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

// wantsList reports whether svstat without arguments lists all services. daemontools
// prints nothing, and scripts that pass the result of a glob rely on that. Therefore we
// list only on a terminal, or if docker exec or kubectl exec without -t has started us:
// then our parent is outside of the container, and the kernel shows its pid as 0
// (getppid(2), pid_namespaces(7)). That is never so for a command in a script.
func wantsList(e *applet.Env) bool { return applet.IsTerminal(e.Stdout) || os.Getppid() == 0 }
