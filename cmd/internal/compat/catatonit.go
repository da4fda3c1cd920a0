package compat

import (
	"os"
	"strconv"
	"syscall"

	"svinit/cmd/internal/applet"
	"svinit/init/foreground"
	"svinit/services/signame"
	"svinit/services/svlog"
)

const catatonitHelp = `Runs the program, forwards signals to it, reaps orphans, and exits with the program's
exit code.

  -g             forward signals to the process group of the program
  -P             run no program, but reap orphans until INT or TERM arrives
  -h             print this
  -L             print the license
  -V, --version  print the version

If the environment variable CATATONIT_DEBUG is set it logs all events.
`

// Catatonit is the init catatonit.
var Catatonit = applet.Command{
	Name:     "catatonit",
	Compat:   true,
	Synopsis: "catatonit [-ghLPV] [--] program [argument ...]",
	Summary:  "run a program as catatonit does",
	Section:  8,
	Help:     catatonitHelp,
	Run:      runCatatonit,
}

func runCatatonit(e *applet.Env) error {
	usage := "usage: " + e.Name + " [-ghLPV] [--] PROGRAM [ARGUMENT]..."
	say := func(level, text string) {
		svlog.TryWrite(2, []byte(level+" (catatonit:"+strconv.Itoa(os.Getpid())+"): "+text+"\n"))
	}
	o := foreground.Options{Signals: foreground.SignalMap{
		syscall.SIGTSTP: 0, syscall.SIGTTIN: 0, syscall.SIGTTOU: 0,
	}}
	pause := false
	args := newGetopt(e, "ghLPV", false, longOption{"version", 'V'})
	for letter, ok := args.next(); ok; letter, ok = args.next() {
		switch letter {
		case 'g':
			o.Group = true
		case 'P':
			pause = true
		case 'h':
			return printText(e.Stderr, usage+"\n\n"+catatonitHelp)
		case 'L':
			return printText(e.Stdout, license)
		case 'V':
			return printText(e.Stdout, "tini version 0.1.7_catatonit - svinit "+e.Version()+"\n")
		default:
			return &applet.Exit{Code: 1, Line: usage}
		}
	}
	if pause {
		args.operands = nil
		o.StopSignals = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}
	} else if len(args.operands) == 0 {
		say("ERROR", "missing program name")
		return &applet.Exit{Code: 1, Line: usage}
	}
	failed := func(err error) int {
		say("ERROR", "failed to exec pid1: "+reasonOf(err))
		return 1
	}
	debug := isSet(e, "CATATONIT_DEBUG")
	o.OnEvent = func(ev foreground.Event) {
		if !debug {
			return
		}
		switch ev.Kind {
		case foreground.Started:
			say("DEBUG", "started the program, pid "+strconv.Itoa(ev.PID))
		case foreground.Received:
			say("DEBUG", "received "+signame.Full(ev.Signal))
		case foreground.NotForwarded:
			say("DEBUG", "unable to forward "+signame.Full(ev.Signal)+": "+reasonOf(ev.Err))
		case foreground.Reaped, foreground.Ended:
			say("DEBUG", "process "+strconv.Itoa(ev.PID)+" "+describeStatus(ev.Status))
		}
	}
	o.Command = args.operands
	return runProgram(e, o, failed)
}
