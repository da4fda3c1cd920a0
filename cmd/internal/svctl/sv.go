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

Commands that wait for their effect and say what came of it:

  start  stop  restart  reload  try-restart  shutdown  check
  force-stop  force-restart  force-reload  force-shutdown   KILL in the end

  -v       let the other commands wait, too
  -w SEC   wait for so many seconds (7, or $SVWAIT); implies -v

A service is looked for in $SVDIR, else in the scan directory ($SVINIT_SERVICE_DIR,
else /etc/service), unless it begins with a dot or a slash or ends in a slash. The
exit code is the number of services with which something went wrong, at most 99.
`,
	Run:         sv,
	KeepSignals: []syscall.Signal{syscall.SIGPIPE},
}

const (
	svName     = "sv"
	svSynopsis = "sv [-v] [-w sec] command service ..."
	// svPatience is for how long sv waits, in seconds.
	svPatience = 7
	// svPause is the time between two looks where there is no event to wait
	// for: runit's.
	svPause = 420 * time.Millisecond
)

// Exit codes of init scripts, from the Linux Standard Base and runit.
const (
	lsbUsage   = 2
	lsbDown    = 3
	lsbUnknown = 4
)

// order is what a command comes to.
type order struct {
	letters string // for supervise/control; "" sends nothing
	await   string // the letters whose effects are waited for; C is check's
	waits   bool
	kills   bool // KILL when it does not come in time
	status  bool // only print
}

// orderOf understands a command. Of most words the first letter counts alone.
func orderOf(word string, script bool) (order, bool) {
	switch word {
	case "check":
		return order{await: "C", waits: true}, true
	case "start":
		return order{letters: "u", waits: true}, true
	case "stop":
		return order{letters: "d", waits: true}, true
	case "shutdown":
		return order{letters: "x", waits: true}, true
	case "restart":
		return order{letters: "tcu", waits: true}, true
	case "try-restart":
		return order{letters: "tc", waits: true}, true
	case "reload":
		return order{letters: "h", waits: true}, true
	case "force-stop":
		return order{letters: "d", waits: true, kills: true}, true
	case "force-shutdown":
		return order{letters: "x", waits: true, kills: true}, true
	case "force-restart":
		return order{letters: "tcu", waits: true, kills: true}, true
	case "force-reload":
		return order{letters: "tc", waits: true, kills: true}, true
	case "":
		return order{}, false
	}
	switch letter := word[:1]; letter {
	case "u", "d", "o", "t", "p", "c", "h", "a", "i", "k", "q", "1", "2", "x":
		return order{letters: letter}, true
	case "e":
		return order{letters: "x"}, true
	case "X", "E":
		return order{letters: "x", waits: true, kills: true}, true
	case "D":
		return order{letters: "d", waits: true, kills: true}, true
	case "T":
		return order{letters: "tc", waits: true, kills: true}, true
	case "s":
		return order{status: true}, !script || word == "status"
	}
	return order{}, false
}

func sv(e *applet.Env) error {
	c := client{e: e, script: e.Name != svName, patience: svPatience}
	if s, ok := lookup(e, "SVWAIT"); ok {
		c.patience = leadingNumber(s)
	}
	verbose := false
	o := applet.Options{Args: e.Args, Known: "w:v"}
	for o.Next() {
		if o.Letter == 'w' {
			c.patience = leadingNumber(o.Value)
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
	if c.script {
		services = []string{e.Name}
	}
	if len(services) == 0 {
		return c.usage()
	}
	var ok bool
	if c.order, ok = orderOf(word, c.script); !ok {
		return c.usage()
	}
	if c.order.await == "" {
		c.order.await = c.order.letters
	}
	c.order.waits = c.order.waits || verbose && !c.order.status
	return c.run(services)
}

// usage is runit's, which an empty line follows.
func (c *client) usage() error {
	if c.script {
		return &applet.Exit{Code: lsbUsage, Line: "usage: " + c.e.Name + " [-w sec] command\n"}
	}
	return &applet.Exit{Code: applet.ExitPermanent, Line: "usage: " + svSynopsis + "\n"}
}

// lookup returns a variable, and whether it is set: to runit an empty one is.
func lookup(e *applet.Env, name string) (value string, ok bool) {
	for _, v := range e.Environ() {
		if value, ok = strings.CutPrefix(v, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// leadingNumber is djb's scan_ulong: the digits at the beginning, in 64 bits
// that overflow without a word, and 0 without digits.
func leadingNumber(s string) (n uint64) {
	for i := 0; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		n = n*10 + uint64(s[i]-'0')
	}
	return n
}

// Script reports whether a call by a name that is no tool's is that of an init
// script: argv0 is what we were called by, with its directories, and e.Name
// without. The name must be a service's; and either a command of sv follows,
// or the script is in a directory called init.d. The first process is never
// a script, whatever its name: a container must not end because of one.
func Script(e *applet.Env, argv0 string, pid int) bool {
	if pid == 1 || e.Name == "" || e.Name[0] == '.' || strings.Contains(e.Name, "/") {
		return false
	}
	if !strings.HasSuffix(strings.TrimSuffix(argv0, "/"+e.Name), "/init.d") {
		o := applet.Options{Args: e.Args, Known: "w:v"}
		for o.Next() {
		}
		if o.Bad != "" || len(o.Args) == 0 || !scriptCommand(o.Args[0]) {
			return false
		}
	}
	c := client{e: e}
	dir, err := c.find(e.Name)
	return err == nil && enter(dir) == nil
}

// scriptCommand reports whether word is a command written out: a program that
// happens to be called like a service has other arguments.
func scriptCommand(word string) bool {
	switch word {
	case "up", "down", "once", "pause", "cont", "hup", "alarm", "interrupt", "quit", "1", "2", "term", "kill", "exit":
		return true
	}
	o, ok := orderOf(word, true)
	return ok && (o.waits || o.status) && len(word) > 1
}
