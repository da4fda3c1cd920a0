package compat

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"svinit/cmd/internal/applet"
	"svinit/init/foreground"
	"svinit/services/svlog"
)

const dumbInitHelp = `It runs the program in a session of its own, passes signals on to its process
group, reaps orphans, and ends with the program's exit code.

  -c, --single-child   no session: signals go to the program alone
  -r, --rewrite S:R    pass on signal number S as R, 0 being not at all; may be
                       repeated
  -v, --verbose        say what happens
  -h, --help           print this
  -V, --version        print the version

The variable DUMB_INIT_DEBUG=1 is -v, and DUMB_INIT_SETSID=0 is -c.
`

// DumbInit is the init of that name.
var DumbInit = applet.Command{
	Name:     "dumb-init",
	Compat:   true,
	Synopsis: "dumb-init [-cvhV] [-r s:r]... [--] program [argument ...]",
	Summary:  "run a program as dumb-init does",
	Section:  8,
	Help:     dumbInitHelp,
	Run:      dumbInit,
}

func dumbInit(e *applet.Env) error {
	o := foreground.Options{
		Group:      true,
		Session:    true,
		Signals:    make(foreground.SignalMap),
		StopToo:    os.Getpid() != 1,
		LastSignal: syscall.SIGTERM,
	}
	single, verbose := e.Getenv("DUMB_INIT_SETSID") == "0", e.Getenv("DUMB_INIT_DEBUG") == "1"
	args := newGetopt(e, "hvVcr:", true, longOption{"help", 'h'}, longOption{"single-child", 'c'},
		longOption{"rewrite", 'r'}, longOption{"verbose", 'v'}, longOption{"version", 'V'})
	for letter, ok := args.next(); ok; letter, ok = args.next() {
		switch letter {
		case 'h':
			return output(e.Stderr, "dumb-init v1.2.5 (svinit "+e.Version()+")\n"+
				"usage: "+e.Name+" [OPTION]... [--] PROGRAM [ARGUMENT]...\n\n"+dumbInitHelp)
		case 'V':
			return output(e.Stderr, "dumb-init v1.2.5 (svinit "+e.Version()+")\n")
		case 'c':
			single = true
		case 'v':
			verbose = true
		case 'r':
			from, to, ok := rewriting(args.value)
			if !ok {
				return &applet.Exit{Code: 1, Line: "usage: -r takes S:R, numbers of signals from 1 to 31, and R may be 0; see " + e.Name + " --help"}
			}
			o.Signals[from] = to
		default:
			return applet.Silent(1)
		}
	}
	if len(args.operands) == 0 {
		return &applet.Exit{Code: 1, Line: "usage: " + e.Name + " [OPTION]... [--] PROGRAM [ARGUMENT]...; see " + e.Name + " --help"}
	}
	if single {
		o.Group, o.Session, o.SameGroup = false, false, true
	} else if o.StopToo {
		// These signals do not stop the leader of a session, as its process
		// group is orphaned, so the main program gets STOP. As PID 1 we could
		// not stop with it, and it would stay stopped until CONT is sent.
		for _, sig := range []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU} {
			if _, ok := o.Signals[sig]; !ok {
				o.Signals[sig] = syscall.SIGSTOP
			}
		}
	}
	say := func(text string) { svlog.TryWrite(2, []byte("[dumb-init] "+text+"\n")) }
	failed := func(err error) int {
		say(args.operands[0] + ": " + reason(err))
		return 2
	}
	o.OnEvent = func(ev foreground.Event) {
		if !verbose {
			return
		}
		switch ev.Kind {
		case foreground.Started:
			say("started the program, pid " + strconv.Itoa(ev.PID))
		case foreground.Received:
			say("received signal " + strconv.Itoa(int(ev.Signal)))
		case foreground.Forwarded:
			say("passed on signal " + strconv.Itoa(int(ev.Signal)))
		case foreground.NotForwarded:
			say("unable to pass on signal " + strconv.Itoa(int(ev.Signal)) + ": " + reason(ev.Err))
		case foreground.Reaped, foreground.Ended:
			say("process " + strconv.Itoa(ev.PID) + " " + status(ev.Status))
		}
	}
	o.Command = args.operands
	return run(e, o, failed)
}

// rewriting reads S:R as sscanf(3) reads "%d:%d", whatever follows.
func rewriting(s string) (from, to syscall.Signal, ok bool) {
	f, rest := leading(s)
	after, ok := strings.CutPrefix(rest, ":")
	t, end := leading(after)
	if !ok || rest == s || end == after || f < 1 || f > 31 || t < 0 || t > 31 {
		return 0, 0, false
	}
	return syscall.Signal(f), syscall.Signal(t), true
}
