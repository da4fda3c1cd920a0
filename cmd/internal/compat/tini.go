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

const tiniHelp = `Runs the program, forwards signals to it, reaps orphans, and exits with the program's
exit code.

  -s         adopt orphans even if not PID 1: svinit always does
  -p SIGNAL  receive SIGNAL, as in SIGTERM, when the parent exits
  -v         log more; up to three times
  -w         log which orphans were reaped
  -g         forward signals to the process group of the program
  -e CODE    exit 0 if the program exits with CODE; may be repeated
  -l         print the license
  -h         print this
  --version  print the version, without any other argument

The environment variables TINI_SUBREAPER and TINI_KILL_PROCESS_GROUP, if set, are the
same as -s and -g; TINI_VERBOSITY is a number from 0 to 4, by default 1.
`

// Tini is the init tini.
var Tini = applet.Command{
	Name:     "tini",
	Compat:   true,
	Synopsis: "tini [-sgvwlh] [-p signal] [-e code]... [--] program [argument ...]",
	Summary:  "run a program as tini does",
	Section:  8,
	Help:     tiniHelp,
	Run:      runTini,
}

// DockerInit is tini under the name that "docker run --init" uses.
var DockerInit = applet.Command{
	Name:     "docker-init",
	Compat:   true,
	Synopsis: "docker-init [-sgvwlh] [-p signal] [-e code]... [--] program [argument ...]",
	Summary:  "run a program as tini does",
	Section:  8,
	Help:     tiniHelp,
	Run:      runTini,
}

// Log levels of tini.
const (
	tiniFatal = iota
	tiniWarn
	tiniInfo
	tiniDebug
)

var tiniLevels = [...]string{tiniFatal: "FATAL", tiniWarn: "WARN ", tiniInfo: "INFO ", tiniDebug: "DEBUG"}

// tiniInit is a run of tini.
type tiniInit struct {
	env          *applet.Env
	options      foreground.Options
	verbosity    int
	reportReaped bool // -w
}

func runTini(e *applet.Env) error {
	if len(e.Args) == 1 && e.Args[0] == "--version" {
		return printText(e.Stdout, tiniVersion(e)+"\n")
	}
	t := &tiniInit{env: e, verbosity: tiniWarn, options: foreground.Options{
		Group: isSet(e, "TINI_KILL_PROCESS_GROUP"),
		// tini ignores these, so that it can write from the background.
		Signals:   foreground.SignalMap{syscall.SIGTTIN: 0, syscall.SIGTTOU: 0},
		ExitCodes: make(foreground.ExitCodes),
	}}
	if done, err := t.parse(); done {
		return err
	}
	if v := e.Getenv("TINI_VERBOSITY"); isSet(e, "TINI_VERBOSITY") {
		t.verbosity, _ = parseIntPrefix(v)
	}
	t.options.OnEvent = t.logEvent
	return runProgram(e, t.options, t.startFailed)
}

// parse parses the arguments. It returns done if tini is not to run a program, with the
// error for Run.
func (t *tiniInit) parse() (done bool, err error) {
	usage := &applet.Exit{Code: 1, Line: strings.TrimSuffix(tiniUsage(t.env), "\n")}
	args := newGetopt(t.env, "p:hvwgle:s", false)
	for letter, ok := args.next(); ok; letter, ok = args.next() {
		switch letter {
		case 'h':
			return true, printText(t.env.Stdout, tiniUsage(t.env))
		case 'l':
			return true, printText(t.env.Stdout, license)
		case 'v':
			t.verbosity++
		case 'w':
			t.reportReaped = true
		case 'g':
			t.options.Group = true
		case 's':
		case 'p':
			if t.options.Pdeathsig = unix.SignalNum(args.value); t.options.Pdeathsig == 0 {
				return true, t.invalidValue(letter, args.value)
			}
		case 'e':
			code, ok := parseInt(args.value)
			if !ok || code < 0 || code > 255 {
				return true, t.invalidValue(letter, args.value)
			}
			t.options.ExitCodes[code] = 0
		default:
			return true, usage
		}
	}
	if len(args.operands) == 0 {
		return true, usage
	}
	t.options.Command = args.operands
	return false, nil
}

func (t *tiniInit) invalidValue(option byte, value string) error {
	t.log(tiniFatal, "Not a valid option for -"+string([]byte{option})+": "+value)
	return applet.Silent(1)
}

// log writes a message if the verbosity includes its level.
func (t *tiniInit) log(level int, text string) {
	if level > max(t.verbosity, tiniFatal) {
		return
	}
	fd := 2
	if level > tiniWarn {
		fd = 1
	}
	svlog.TryWrite(fd, []byte("["+tiniLevels[level]+" tini ("+strconv.Itoa(os.Getpid())+")] "+text+"\n"))
}

func (t *tiniInit) logEvent(ev foreground.Event) {
	switch ev.Kind {
	case foreground.Started:
		t.log(tiniInfo, "started '"+t.options.Command[0]+"', pid "+strconv.Itoa(ev.PID))
	case foreground.Forwarded:
		t.log(tiniDebug, "forwarded "+signame.Full(ev.Signal))
	case foreground.NotForwarded:
		t.log(tiniWarn, "unable to forward "+signame.Full(ev.Signal)+": "+reasonOf(ev.Err))
	case foreground.Reaped:
		if t.reportReaped {
			t.log(tiniWarn, "Reaped zombie process with pid="+strconv.Itoa(ev.PID))
		}
	case foreground.Ended:
		t.log(tiniInfo, "the program "+describeStatus(ev.Status))
	}
}

// startFailed reports that the program could not be started, and returns the exit code.
func (t *tiniInit) startFailed(err error) int {
	t.log(tiniFatal, "exec "+t.options.Command[0]+" failed: "+reasonOf(err))
	switch errnoOf(err) {
	case syscall.ENOENT:
		return 127
	case syscall.EACCES:
		return 126
	}
	return 1
}

// tiniVersion returns the version. Scripts and dockerd parse its beginning.
func tiniVersion(e *applet.Env) string { return "tini version 0.19.0 - svinit " + e.Version() }

func tiniUsage(e *applet.Env) string {
	return e.Name + " (" + tiniVersion(e) + ")\n" +
		"usage: " + e.Name + " [OPTION]... [--] PROGRAM [ARGUMENT]...\n\n" + tiniHelp
}

// parseInt parses a whole text as strtol(3) does.
func parseInt(s string) (n int, ok bool) {
	n, rest := parseIntPrefix(s)
	return n, rest == "" && (s == "" || s[len(s)-1] >= '0' && s[len(s)-1] <= '9')
}

// parseIntPrefix is strtol(3): it parses the number at the beginning of a text, and
// returns the rest.
func parseIntPrefix(s string) (n int, rest string) {
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
	n, _ = strconv.Atoi(t[:end]) // if out of range, the nearest int
	return n, t[end:]
}
