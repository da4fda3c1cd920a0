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

const dumbInitHelp = `Runs the program in its own session, forwards signals to its process group, reaps
orphans, and exits with the program's exit code.

  -c, --single-child   no session; forward signals only to the program
  -r, --rewrite S:R    forward signal number S as R, or not if R is 0; may be
                       repeated
  -v, --verbose        log all events
  -h, --help           print this
  -V, --version        print the version

The environment variable DUMB_INIT_DEBUG=1 is the same as -v, DUMB_INIT_SETSID=0 as -c.
`

// DumbInit is the init dumb-init.
var DumbInit = applet.Command{
	Name:     "dumb-init",
	Compat:   true,
	Synopsis: "dumb-init [-cvhV] [-r s:r]... [--] program [argument ...]",
	Summary:  "run a program as dumb-init does",
	Section:  8,
	Help:     dumbInitHelp,
	Run:      runDumbInit,
}

// dumbInit is a run of dumb-init.
type dumbInit struct {
	env                  *applet.Env
	options              foreground.Options
	singleChild, verbose bool
}

func runDumbInit(e *applet.Env) error {
	d := &dumbInit{
		env: e,
		options: foreground.Options{
			Group:      true,
			Session:    true,
			Signals:    make(foreground.SignalMap),
			StopToo:    os.Getpid() != 1,
			LastSignal: syscall.SIGTERM,

			DefaultSignals: true,
		},
		singleChild: e.Getenv("DUMB_INIT_SETSID") == "0",
		verbose:     e.Getenv("DUMB_INIT_DEBUG") == "1",
	}
	if done, err := d.parse(); done {
		return err
	}
	o := &d.options
	if d.singleChild {
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
	o.OnEvent = d.logEvent
	return runProgram(e, *o, func(err error) int {
		d.log(o.Command[0] + ": " + reasonOf(err))
		return 2
	})
}

// parse parses the arguments. It returns done if dumb-init is not to run a program, with
// the error for Run.
func (d *dumbInit) parse() (done bool, err error) {
	usage := "usage: " + d.env.Name + " [OPTION]... [--] PROGRAM [ARGUMENT]..."
	version := "dumb-init v1.2.5 (svinit " + d.env.Version() + ")\n"
	args := newGetopt(d.env, "hvVcr:", true, longOption{"help", 'h'}, longOption{"single-child", 'c'},
		longOption{"rewrite", 'r'}, longOption{"verbose", 'v'}, longOption{"version", 'V'})
	for letter, ok := args.next(); ok; letter, ok = args.next() {
		switch letter {
		case 'h':
			return true, printText(d.env.Stderr, version+usage+"\n\n"+dumbInitHelp)
		case 'V':
			return true, printText(d.env.Stderr, version)
		case 'c':
			d.singleChild = true
		case 'v':
			d.verbose = true
		case 'r':
			from, to, ok := parseRewrite(args.value)
			if !ok {
				return true, &applet.Exit{Code: 1, Line: "usage: -r takes S:R, numbers of signals from 1 to 31, and R may be 0; see " + d.env.Name + " --help"}
			}
			d.options.Signals[from] = to
		default:
			return true, applet.Silent(1)
		}
	}
	if len(args.operands) == 0 {
		return true, &applet.Exit{Code: 1, Line: usage + "; see " + d.env.Name + " --help"}
	}
	d.options.Command = args.operands
	return false, nil
}

func (d *dumbInit) log(text string) { svlog.TryWrite(2, []byte("[dumb-init] "+text+"\n")) }

func (d *dumbInit) logEvent(ev foreground.Event) {
	if !d.verbose {
		return
	}
	switch ev.Kind {
	case foreground.Started:
		d.log("started the program, pid " + strconv.Itoa(ev.PID))
	case foreground.Received:
		d.log("received signal " + strconv.Itoa(int(ev.Signal)))
	case foreground.Forwarded:
		d.log("forwarded signal " + strconv.Itoa(int(ev.Signal)))
	case foreground.NotForwarded:
		d.log("unable to forward signal " + strconv.Itoa(int(ev.Signal)) + ": " + reasonOf(ev.Err))
	case foreground.Reaped, foreground.Ended:
		d.log("process " + strconv.Itoa(ev.PID) + " " + describeStatus(ev.Status))
	}
}

// parseRewrite parses S:R as sscanf(3) does with "%d:%d", which ignores the rest.
func parseRewrite(s string) (from, to syscall.Signal, ok bool) {
	f, rest := parseIntPrefix(s)
	after, ok := strings.CutPrefix(rest, ":")
	t, end := parseIntPrefix(after)
	if !ok || rest == s || end == after || f < 1 || f > 31 || t < 0 || t > 31 {
		return 0, 0, false
	}
	return syscall.Signal(f), syscall.Signal(t), true
}
