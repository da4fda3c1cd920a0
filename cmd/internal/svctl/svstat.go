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
	Help: `Prints a line a service: whether it is up and its process, for how many seconds,
and where that is not what it normally is or what it was told to be.

A service is a service directory, or its name in the scan directory. Without
arguments it lists every service of the scan directory ($SVINIT_SERVICE_DIR, else
/etc/service) for people: on a terminal, and when it is started from outside
the container, as docker exec does. Otherwise it prints nothing.
`,
	Run:         svstat,
	KeepSignals: []syscall.Signal{syscall.SIGPIPE},
}

func svstat(e *applet.Env) error {
	args := e.Args
	if len(args) == 0 {
		if !asked(e) {
			return nil
		}
		var err error
		if args, err = list(scanDir(e)); err != nil {
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
	// As in daemontools, a full disk behind stdout is not our business.
	e.Stdout.Write(b)
	return nil
}

// appendService appends what there is to say of one service. Each question is
// asked in daemontools' order, or the answers would differ from its own.
func appendService(b []byte, e *applet.Env, arg string, now time.Time) []byte {
	dir, err := find(e, arg)
	if err != nil {
		return appendProblem(b, "unable to chdir: ", err)
	}
	normallyUp := false
	var st syscall.Stat_t
	switch err := syscall.Stat(dir+"/down", &st); err {
	case nil:
	case syscall.ENOENT:
		normallyUp = true
	default:
		return appendProblem(b, "unable to stat down: ", err)
	}
	state, err := probe(e, dir)
	switch err {
	case nil:
	case svdir.ErrNotRunning:
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
	return appendSentence(b, s, normallyUp, now)
}

func appendProblem(b []byte, what string, err error) []byte {
	return append(append(b, what...), applet.Reason(err)...)
}

// appendSentence appends daemontools' sentence.
func appendSentence(b []byte, s svdir.Status, normallyUp bool, now time.Time) []byte {
	up := s.PID != 0
	if up {
		b = append(b, "up (pid "...)
		b = strconv.AppendUint(b, uint64(s.PID), 10)
		b = append(b, ") "...)
	} else {
		b = append(b, "down "...)
	}
	b = strconv.AppendUint(b, s.Age(now), 10)
	b = append(b, " seconds"...)
	switch {
	case up && !normallyUp:
		b = append(b, ", normally down"...)
	case !up && normallyUp:
		b = append(b, ", normally up"...)
	}
	if up && s.Paused {
		b = append(b, ", paused"...)
	}
	switch {
	case !up && s.Want == svdir.WantUp:
		b = append(b, ", want up"...)
	case up && s.Want == svdir.WantDown:
		b = append(b, ", want down"...)
	}
	return b
}

// asked reports whether a person asks for the list. daemontools prints nothing
// without arguments, and scripts that pass the result of a glob count on that;
// but a person may be without a terminal too, with docker exec or kubectl exec
// and no -t. Their process has its parent outside the container, which the
// kernel shows as 0 (getppid(2), pid_namespaces(7)); no script's command has.
func asked(e *applet.Env) bool { return applet.IsTerminal(e.Stdout) || os.Getppid() == 0 }

// list returns the names of the services in the scan directory and, as
// NAME/log, of their loggers. A link that leads nowhere is among them: its
// line says so.
func list(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		if name[0] == '.' {
			continue
		}
		fi, err := os.Stat(dir + "/" + name)
		if err == nil && !fi.IsDir() {
			continue
		}
		names = append(names, name)
		if fi, err := os.Stat(dir + "/" + name + "/log"); err == nil && fi.IsDir() {
			names = append(names, name+"/log")
		}
	}
	return names, nil
}
