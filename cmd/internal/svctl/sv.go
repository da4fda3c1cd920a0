package svctl

import (
	"strings"
	"syscall"
	"time"

	"svinit/cmd/internal/applet"
)

// Sv is sv(8) of runit. Called by another name, as through a link
// /etc/init.d/NAME, it is the init script of the service NAME, with the exit
// codes of the Linux Standard Base.
var Sv = applet.Command{
	Name:     "sv",
	Synopsis: svSynopsis,
	Summary:  "command services and wait for the effect, as in runit",
	Section:  8,
	Help: `Commands, of which the first letter is enough:

  status  up  down  once  exit  pause  cont
  hup  alarm  interrupt  quit  1  2  term  kill   send a signal

Commands that wait for their effect and print the result:

  start  stop  restart  reload  try-restart  shutdown  check
  force-stop  force-restart  force-reload  force-shutdown   KILL after the timeout

  -v       make the other commands wait, too
  -w SEC   timeout in seconds (7, or $SVWAIT); implies -v

A service is looked up in $SVDIR, else in the scan directory ($SVINIT_SERVICE_DIR,
else /etc/service), unless it begins with a dot or a slash or ends in a slash. The
exit code is the number of failures, at most 99.
`,
	Run:         runSv,
	KeepSignals: []syscall.Signal{syscall.SIGPIPE},
}

const (
	svName     = "sv"
	svSynopsis = "sv [-v] [-w sec] command service ..."
	// defaultTimeout is how long sv waits, in seconds.
	defaultTimeout = 7
	// pollInterval is runit's, used only where there is no event to wait for.
	pollInterval = 420 * time.Millisecond
)

// Exit codes of init scripts, from the Linux Standard Base and runit.
const (
	lsbUsage   = 2
	lsbDown    = 3
	lsbUnknown = 4
)

// action is the meaning of a command.
type action struct {
	letters       string // written to supervise/control
	effects       string // letters whose effects are waited for; C stands for check
	wait          bool
	killOnTimeout bool // send KILL after the timeout
	statusOnly    bool // only print the status
}

// parseCommand parses a command. Of most commands only the first letter counts.
func parseCommand(word string, script bool) (action, bool) {
	switch word {
	case "check":
		return action{effects: "C", wait: true}, true
	case "start":
		return action{letters: "u", wait: true}, true
	case "stop":
		return action{letters: "d", wait: true}, true
	case "shutdown":
		return action{letters: "x", wait: true}, true
	case "restart":
		return action{letters: "tcu", wait: true}, true
	case "try-restart":
		return action{letters: "tc", wait: true}, true
	case "reload":
		return action{letters: "h", wait: true}, true
	case "force-stop":
		return action{letters: "d", wait: true, killOnTimeout: true}, true
	case "force-shutdown":
		return action{letters: "x", wait: true, killOnTimeout: true}, true
	case "force-restart":
		return action{letters: "tcu", wait: true, killOnTimeout: true}, true
	case "force-reload":
		return action{letters: "tc", wait: true, killOnTimeout: true}, true
	case "":
		return action{}, false
	}
	switch letter := word[:1]; letter {
	case "u", "d", "o", "t", "p", "c", "h", "a", "i", "k", "q", "1", "2", "x":
		return action{letters: letter}, true
	case "e":
		return action{letters: "x"}, true
	case "X", "E":
		return action{letters: "x", wait: true, killOnTimeout: true}, true
	case "D":
		return action{letters: "d", wait: true, killOnTimeout: true}, true
	case "T":
		return action{letters: "tc", wait: true, killOnTimeout: true}, true
	case "s":
		return action{statusOnly: true}, !script || word == "status"
	}
	return action{}, false
}

func runSv(e *applet.Env) error {
	c := client{e: e, isScript: e.Name != svName, timeout: defaultTimeout}
	if s, ok := lookupEnv(e, "SVWAIT"); ok {
		c.timeout = parseLeadingNumber(s)
	}
	verbose := false
	o := applet.Options{Args: e.Args, Known: "w:v"}
	for o.Next() {
		if o.Letter == 'w' {
			c.timeout = parseLeadingNumber(o.Value)
		}
		verbose = true
	}
	if o.Bad != "" {
		e.Log(o.Bad)
		return c.usage()
	}
	if len(o.Args) == 0 {
		return c.usage()
	}
	word, services := o.Args[0], o.Args[1:]
	if c.isScript {
		services = []string{e.Name}
	}
	if len(services) == 0 {
		return c.usage()
	}
	var ok bool
	if c.action, ok = parseCommand(word, c.isScript); !ok {
		return c.usage()
	}
	if c.action.effects == "" {
		c.action.effects = c.action.letters
	}
	c.action.wait = c.action.wait || verbose && !c.action.statusOnly
	return c.run(services)
}

// usage returns runit's usage, which ends with an empty line.
func (c *client) usage() error {
	if c.isScript {
		return &applet.Exit{Code: lsbUsage, Line: "usage: " + c.e.Name + " [-w sec] command\n"}
	}
	return &applet.Exit{Code: applet.ExitPermanent, Line: "usage: " + svSynopsis + "\n"}
}

// lookupEnv returns a variable, and whether it is set; it may be set and empty.
func lookupEnv(e *applet.Env, name string) (value string, ok bool) {
	for _, v := range e.Environ() {
		if value, ok = strings.CutPrefix(v, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// parseLeadingNumber is daemontools' scan_ulong: it parses the leading digits modulo
// 2^64, and returns 0 without digits.
func parseLeadingNumber(s string) (n uint64) {
	for i := 0; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		n = n*10 + uint64(s[i]-'0')
	}
	return n
}

// IsInitScript reports whether svinit, under a name that is neither a tool's nor its own,
// is called as an init script: whether that is the name of a service. PID 1 is never a
// script, so that no name of the binary can keep a container from starting.
func IsInitScript(e *applet.Env, pid int) bool {
	if pid == 1 || e.Name == "" || e.Name[0] == '.' || strings.Contains(e.Name, "/") {
		return false
	}
	c := client{e: e}
	dir, err := c.findService(e.Name)
	return err == nil && checkDir(dir) == nil
}
