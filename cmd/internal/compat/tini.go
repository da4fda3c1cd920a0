package compat

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/init/foreground"
	"svinit/services/signame"
	"svinit/services/svlog"
)

const tiniHelp = `It runs the program, passes signals on to it, reaps orphans, and ends with the
program's exit code.

  -s         take in orphans, also when not PID 1: svinit always does
  -p SIGNAL  get SIGNAL, as in SIGTERM, when the parent ends
  -v         say more; up to three times
  -w         say which orphans were reaped
  -g         pass signals on to the process group of the program
  -e CODE    end with 0 where the program ends with CODE; may be repeated
  -l         print the license
  -h         print this
  --version  print the version, without any other argument

The variables TINI_SUBREAPER and TINI_KILL_PROCESS_GROUP, when set, are -s and
-g; TINI_VERBOSITY is a number from 0 to 4, 1 being the default.
`

// Tini is the init of that name.
var Tini = applet.Command{
	Name:     "tini",
	Compat:   true,
	Synopsis: "tini [-sgvwlh] [-p signal] [-e code]... [--] program [argument ...]",
	Summary:  "run a program as tini does",
	Section:  8,
	Help:     tiniHelp,
	Run:      tini,
}

// DockerInit is tini, under the name by which "docker run --init" looks for it.
var DockerInit = applet.Command{
	Name:     "docker-init",
	Compat:   true,
	Synopsis: "docker-init [-sgvwlh] [-p signal] [-e code]... [--] program [argument ...]",
	Summary:  "run a program as tini does",
	Section:  8,
	Help:     tiniHelp,
	Run:      tini,
}

// The levels of tini's messages.
const (
	tiniFatal = iota
	tiniWarn
	tiniInfo
	tiniDebug
)

var tiniLevels = [...]string{tiniFatal: "FATAL", tiniWarn: "WARN ", tiniInfo: "INFO ", tiniDebug: "DEBUG"}

func tini(e *applet.Env) error {
	if len(e.Args) == 1 && e.Args[0] == "--version" {
		return output(e.Stdout, tiniVersion(e)+"\n")
	}
	verbosity := tiniWarn
	say := func(level int, text string) {
		if level > max(verbosity, tiniFatal) {
			return
		}
		f := 2
		if level > tiniWarn {
			f = 1
		}
		svlog.TryWrite(f, []byte("["+tiniLevels[level]+" tini ("+strconv.Itoa(os.Getpid())+")] "+text+"\n"))
	}
	wrong := func(option byte, value string) error {
		say(tiniFatal, "Not a valid option for -"+string([]byte{option})+": "+value)
		return applet.Silent(1)
	}
	reaped := false
	o := foreground.Options{
		Group: present(e, "TINI_KILL_PROCESS_GROUP"),
		// tini ignores these, so that it can write from the background.
		Signals:   foreground.SignalMap{syscall.SIGTTIN: 0, syscall.SIGTTOU: 0},
		ExitCodes: make(foreground.ExitCodes),
	}
	args := newGetopt(e, "p:hvwgle:s", false)
	for letter, ok := args.next(); ok; letter, ok = args.next() {
		switch letter {
		case 'h':
			return output(e.Stdout, tiniUsage(e))
		case 'l':
			return output(e.Stdout, license)
		case 'v':
			verbosity++
		case 'w':
			reaped = true
		case 'g':
			o.Group = true
		case 's':
		case 'p':
			if o.Pdeathsig = unix.SignalNum(args.value); o.Pdeathsig == 0 {
				return wrong(letter, args.value)
			}
		case 'e':
			code, ok := number(args.value)
			if !ok || code < 0 || code > 255 {
				return wrong(letter, args.value)
			}
			o.ExitCodes[code] = 0
		default:
			return &applet.Exit{Code: 1, Line: strings.TrimSuffix(tiniUsage(e), "\n")}
		}
	}
	if len(args.operands) == 0 {
		return &applet.Exit{Code: 1, Line: strings.TrimSuffix(tiniUsage(e), "\n")}
	}
	if v := e.Getenv("TINI_VERBOSITY"); present(e, "TINI_VERBOSITY") {
		verbosity, _ = leading(v)
	}
	failed := func(err error) int {
		say(tiniFatal, "exec "+args.operands[0]+" failed: "+reason(err))
		switch errno(err) {
		case syscall.ENOENT:
			return 127
		case syscall.EACCES:
			return 126
		}
		return 1
	}
	o.OnEvent = func(ev foreground.Event) {
		switch ev.Kind {
		case foreground.Started:
			say(tiniInfo, "started '"+args.operands[0]+"', pid "+strconv.Itoa(ev.PID))
		case foreground.Forwarded:
			say(tiniDebug, "passed on "+signame.Full(ev.Signal))
		case foreground.NotForwarded:
			say(tiniWarn, "unable to pass on "+signame.Full(ev.Signal)+": "+reason(ev.Err))
		case foreground.Reaped:
			if reaped {
				say(tiniWarn, "Reaped zombie process with pid="+strconv.Itoa(ev.PID))
			}
		case foreground.Ended:
			say(tiniInfo, "the program "+status(ev.Status))
		}
	}
	o.Command = args.operands
	return run(e, o, failed)
}

// tiniVersion begins as scripts, and dockerd, expect it.
func tiniVersion(e *applet.Env) string { return "tini version 0.19.0 - svinit " + e.Version() }

func tiniUsage(e *applet.Env) string {
	return e.Name + " (" + tiniVersion(e) + ")\n" +
		"usage: " + e.Name + " [OPTION]... [--] PROGRAM [ARGUMENT]...\n\n" + tiniHelp
}

// number is strtol(3) of a whole text.
func number(s string) (n int, ok bool) {
	n, rest := leading(s)
	return n, rest == "" && (s == "" || s[len(s)-1] >= '0' && s[len(s)-1] <= '9')
}

// leading is strtol(3): the number that a text begins with, and what follows.
func leading(s string) (n int, rest string) {
	t := strings.TrimLeft(s, " \t\n\v\f\r")
	end := 0
	if end < len(t) && (t[end] == '-' || t[end] == '+') {
		end++
	}
	digits := end
	for end < len(t) && t[end] >= '0' && t[end] <= '9' {
		end++
	}
	if end == digits {
		return 0, s
	}
	n, _ = strconv.Atoi(t[:end]) // the nearest there is when it is out of range
	return n, t[end:]
}
