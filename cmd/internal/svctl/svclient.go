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

// client is one run of sv.
type client struct {
	e        *applet.Env
	script   bool // called as an init script
	order    order
	patience uint64 // seconds
	start    time.Time
	now      time.Time // of this look
	targets  []*target
	trouble  int    // how often something went wrong
	line     []byte // of standard output, not written yet
}

// target is a service that sv has been told to command.
type target struct {
	arg    string // as the user calls it
	dir    string
	state  string  // the state directory that was found last
	before reading // what was so before the command
	asks   bool    // its check has said no: ask again
	watch  int     // in the vigil
}

// reading is a status, and whether a supervisor of ours has written it.
type reading struct {
	svdir.Status
	ours bool
}

// maxTrouble is the largest exit code that counts.
const maxTrouble = 99

func (c *client) run(services []string) error {
	c.start = time.Now()
	c.now = c.start
	for _, arg := range services {
		t := &target{arg: arg, watch: -1}
		var err error
		if t.dir, err = c.find(arg); err != nil {
			c.fail(t, "unable to change to service directory", err)
			continue
		}
		if c.order.status {
			if code := c.status(t); c.script {
				c.flush()
				return applet.Silent(code)
			}
			continue
		}
		if c.order.letters == "" || c.command(t, c.order.letters) {
			c.targets = append(c.targets, t)
		}
	}
	if c.order.waits {
		c.wait()
	}
	c.flush()
	return applet.Silent(min(c.trouble, maxTrouble))
}

// find returns the directory of a service: by its name in $SVDIR, else in the
// scan directory, or from here when it begins with a dot or a slash or ends in
// a slash. Errors are those of chdir, a syscall.Errno.
func (c *client) find(arg string) (dir string, err error) {
	if arg == "" || arg[0] == '/' || arg[0] == '.' || arg[len(arg)-1] == '/' {
		return arg, enter(arg)
	}
	root, ok := lookup(c.e, "SVDIR")
	if !ok {
		root = scanDir(c.e)
	}
	if err := enter(root); err != nil {
		return "", err
	}
	return root + "/" + arg, enter(root + "/" + arg)
}

// presence is what looking for a service has shown.
type presence int

const (
	unknown presence = iota // there was trouble, which has been said
	gone                    // nobody supervises it, which has been said
	present
)

// look reads the status in dir, which is the service's or its logger's.
func (c *client) look(t *target, dir string) (reading, presence) {
	state, err := probe(c.e, dir)
	switch err {
	case nil:
	case svdir.ErrNotRunning:
		c.notRunning(t)
		return reading{}, gone
	default:
		c.warn(t, "unable to open supervise/ok", err)
		return reading{}, unknown
	}
	t.state = state
	r, err := readRecord(state)
	var p *fs.PathError
	switch {
	case err == nil:
		return r, present
	case errors.As(err, &p) && p.Op == "open":
		c.warn(t, "unable to open supervise/status", err)
	default:
		c.warn(t, "unable to read supervise/status", err)
	}
	return reading{}, unknown
}

// runitSize is the least that sv takes for a record: daemontools' own has no
// state.
const runitSize = 20

// readRecord reads a status as sv does. Ours is known by its length: runsv
// writes 20 bytes, and nobody else 36 (services/svdir/status.go).
func readRecord(state string) (reading, error) {
	var b [svdir.StatusSize + 1]byte
	n, err := svdir.ReadRecord(state, b[:])
	if err != nil {
		return reading{}, err
	}
	if n < runitSize {
		return reading{}, svdir.ErrFormat
	}
	s, err := svdir.ParseStatus(b[:n])
	return reading{s, n == svdir.StatusSize}, err
}

// command sends letters to the service and reports whether there is an effect
// to wait for.
func (c *client) command(t *target, letters string) bool {
	r, there := c.look(t, t.dir)
	if there != present {
		return false
	}
	t.before = r
	if r.has(letters[0]) {
		return true
	}
	if r.ours && letters[0] == svdir.CmdExit {
		letters = svdir.CmdsDownExit // our x is daemontools', which sends no signal
	}
	err := svdir.Send(t.state, []byte(letters))
	switch {
	case err == nil:
		return true
	case err == svdir.ErrNotRunning:
		c.notRunning(t)
	case written(err):
		c.warn(t, "unable to write to supervise/control", err)
	default:
		c.warn(t, "unable to open supervise/control", err)
	}
	return false
}

// has reports whether a service has had the command already, so that runit
// does not send it again. We take up always: it ends the pause before the next
// try to start.
func (r reading) has(letter byte) bool {
	if byte(r.Want) != letter {
		return false
	}
	return !(letter == svdir.CmdDown && !r.GotTERM) && !(r.ours && letter == svdir.CmdUp)
}

// status prints the line of the service and its logger, and returns the exit
// code of an init script, which is the service's; runit's has become that of
// the logger by then.
func (c *client) status(t *target) (code int) {
	r, there := c.look(t, t.dir)
	switch there {
	case unknown:
		return lsbUnknown
	case gone:
		return c.trouble
	}
	code = c.sentence(r, t, t.dir, t.arg)
	log := &target{arg: t.arg + "/log", dir: t.dir + "/log"}
	switch err := enter(log.dir); err {
	case syscall.ENOENT:
		c.say("\n")
		return code
	case nil:
		c.say("; ")
		if r, there := c.look(log, log.dir); there == present {
			c.sentence(r, t, log.dir, "log")
			c.say("\n")
		}
	default:
		c.say("; ")
		c.warn(log, "unable to change directory", err)
	}
	return code
}

// sentence prints what is so, and returns the exit code of an init script.
func (c *client) sentence(r reading, t *target, dir, name string) (code int) {
	normallyUp := false
	var st syscall.Stat_t
	switch err := syscall.Stat(dir+"/down", &st); err {
	case nil:
	case syscall.ENOENT:
		normallyUp = true
	default:
		c.complain("unable to stat "+t.arg+"/down", err)
		return lsbUnknown
	}
	switch r.State {
	case svdir.StateDown:
		c.say("down: ")
	case svdir.StateRun:
		c.say("run: ")
	case svdir.StateFinish:
		c.say("finish: ")
	}
	c.say(name + ": ")
	if r.State != svdir.StateDown {
		// An int of C, made an unsigned long.
		c.say("(pid " + strconv.FormatUint(uint64(int32(r.PID)), 10) + ") ")
	}
	c.say(strconv.FormatUint(r.Age(c.now), 10) + "s")
	up := r.PID != 0
	switch {
	case up && !normallyUp:
		c.say(", normally down")
	case !up && normallyUp:
		c.say(", normally up")
	}
	if up && r.Paused {
		c.say(", paused")
	}
	switch {
	case !up && r.Want == svdir.WantUp:
		c.say(", want up")
	case up && r.Want == svdir.WantDown:
		c.say(", want down")
	}
	if up && r.GotTERM {
		c.say(", got TERM")
	}
	if up {
		return 0
	}
	return lsbDown
}

// notRunning says that the service has no supervisor, which is what exit is
// to come to.
func (c *client) notRunning(t *target) {
	const what = "runsv not running"
	if c.order.letters == "x" {
		c.say("ok: " + t.arg + ": " + what + "\n")
		c.flush()
		return
	}
	c.fail(t, what, nil)
}

func (c *client) fail(t *target, what string, err error) { c.problem("fail: ", t, what, err) }
func (c *client) warn(t *target, what string, err error) { c.problem("warning: ", t, what, err) }

// problem says what went wrong with a service, on standard output as runit.
func (c *client) problem(kind string, t *target, what string, err error) {
	c.trouble++
	c.say(kind + t.arg + ": " + what)
	if err != nil {
		c.say(": " + applet.Reason(err))
	}
	c.say("\n")
	c.flush()
}

// complain says on standard error what is in the way of asking.
func (c *client) complain(what string, err error) {
	c.e.Stderr.WriteString("warning: " + what + ": " + applet.Reason(err) + "\n")
}

func (c *client) say(s string) { c.line = append(c.line, s...) }

func (c *client) flush() {
	c.e.Stdout.Write(c.line)
	c.line = c.line[:0]
}
