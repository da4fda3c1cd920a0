package svctl

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"time"

	"svinit/cmd/internal/applet"
	"svinit/services/svdir"
)

// client is one run of sv.
type client struct {
	e        *applet.Env
	isScript bool // called as an init script
	action   action
	timeout  uint64 // seconds
	start    time.Time
	now      time.Time // when the status was read
	targets  []*target
	failures int // for the exit code
	notes    explainer
	out      []byte // buffered standard output
}

// target is a service that sv sends a command to.
type target struct {
	arg    string // as on the command line
	dir    string
	state  string        // the state directory at the last readStatus
	before serviceStatus // the status before the command
	unsent bool          // the command waits until the service is supervised
	poll   bool          // a change may cause no event: see needsPolling
	wake   time.Time     // when to look again without an event; zero is never
	watch  int           // its number in the watcher, or unsupervised
}

// serviceStatus is a status, and whether svinit has written it.
type serviceStatus struct {
	svdir.Status
	ours bool
}

// maxExitCode is runit's limit for the number of failures in the exit code.
const maxExitCode = 99

func (c *client) run(services []string) error {
	c.notes.e = c.e
	c.start = time.Now()
	c.now = c.start
	for _, arg := range services {
		t := &target{arg: arg, watch: unsupervised}
		var err error
		if t.dir, err = c.findService(arg); err != nil {
			c.fail(t, "unable to change to service directory", err)
			continue
		}
		if c.action.statusOnly {
			if code := c.printStatusLine(t); c.isScript {
				c.flush()
				return applet.Silent(code)
			}
			continue
		}
		if c.action.wait {
			// Not yet supervised: the command is sent when it is.
			_, t.unsent = c.expects(t)
		}
		if t.unsent || c.action.letters == "" || c.sendCommand(t, c.action.letters) {
			c.targets = append(c.targets, t)
		}
	}
	if c.action.wait {
		c.waitForAll()
	}
	c.flush()
	return applet.Silent(min(c.failures, maxExitCode))
}

// findService returns the directory of a service: arg itself if it begins with a dot or
// a slash or ends in a slash, else the one of that name in $SVDIR. Without $SVDIR it is the
// one in the scan directory, unless a directory of that name here is itself supervised,
// as for the other tools. The error is that of chdir, a syscall.Errno.
func (c *client) findService(arg string) (dir string, err error) {
	if arg == "" || arg[0] == '/' || arg[0] == '.' || arg[len(arg)-1] == '/' {
		return arg, checkDir(arg)
	}
	root, ok := lookupEnv(c.e, "SVDIR")
	if !ok {
		root = scanDir(c.e)
		if !strings.Contains(arg, "/") && isSupervised(c.e, arg) {
			return arg, nil
		}
	}
	if err := checkDir(root); err != nil {
		return "", err
	}
	return root + "/" + arg, checkDir(root + "/" + arg)
}

// probeResult is the result of reading a service's status.
type probeResult int

const (
	resultError      probeResult = iota // an error, which has been printed
	resultNotRunning                    // the service is not supervised, which has been printed
	resultOK
)

// readStatus reads the status of the service or logger in dir.
func (c *client) readStatus(t *target, dir string) (serviceStatus, probeResult) {
	state, err := findState(c.e, dir)
	switch err {
	case nil:
	case svdir.ErrNotRunning:
		c.reportNotRunning(t)
		return serviceStatus{}, resultNotRunning
	case svdir.ErrElsewhere:
		c.fail(t, err.Error(), nil)
		return serviceStatus{}, resultError
	default:
		c.warn(t, "unable to open supervise/ok", err)
		return serviceStatus{}, resultError
	}
	t.state = state
	r, err := readRecord(state)
	var p *fs.PathError
	switch {
	case err == nil:
		return r, resultOK
	case errors.As(err, &p) && p.Op == "open":
		c.warn(t, "unable to open supervise/status", err)
	default:
		c.warn(t, "unable to read supervise/status", err)
	}
	return serviceStatus{}, resultError
}

// minRecordSize is the smallest status that runit's sv accepts. That of daemontools has
// 18 bytes, without the state.
const minRecordSize = 20

// readRecord reads a status as runit's sv does. A status of svinit is recognized by its
// size of 36 bytes (services/svdir/status.go); runsv writes 20.
func readRecord(state string) (serviceStatus, error) {
	var b [svdir.StatusSize + 1]byte
	n, err := svdir.ReadRecord(state, b[:])
	if err != nil {
		return serviceStatus{}, err
	}
	if n < minRecordSize {
		return serviceStatus{}, svdir.ErrFormat
	}
	s, err := svdir.ParseStatus(b[:n])
	return serviceStatus{s, n == svdir.StatusSize}, err
}

// expects reports whether nobody supervises the service and somebody will. After the
// command exit nobody does.
func (c *client) expects(t *target) (scanner int, ok bool) {
	if c.action.letters == "x" && t.watch != unsupervised {
		return 0, false
	}
	if _, err := findState(c.e, t.dir); !isAbsent(err) {
		return 0, false
	}
	return expects(c.e, t.dir)
}

// sendCommand sends letters to the service. It reports whether the command has been
// sent or was already in effect, so that the caller can wait for the effect.
func (c *client) sendCommand(t *target, letters string) bool {
	r, there := c.readStatus(t, t.dir)
	if there != resultOK {
		return false
	}
	t.before = r
	if r.hasCommand(letters[0]) {
		return true
	}
	if r.ours && letters[0] == svdir.CmdExit {
		letters = svdir.CmdsDownExit // x alone sends no signal, as in daemontools
	}
	err := svdir.Send(t.state, []byte(letters))
	switch {
	case err == nil:
		return true
	case err == svdir.ErrNotRunning:
		c.reportNotRunning(t)
	case isWriteError(err):
		c.warn(t, "unable to write to supervise/control", err)
	default:
		c.warn(t, "unable to open supervise/control", err)
	}
	return false
}

// hasCommand reports whether the command is already in effect; then runit does not send
// it again. We always send up to our services, because it ends the delay before a
// restart.
func (r serviceStatus) hasCommand(letter byte) bool {
	if byte(r.Want) != letter {
		return false
	}
	return !(letter == svdir.CmdDown && !r.GotTERM) && !(r.ours && letter == svdir.CmdUp)
}

// printStatusLine prints the status of the service and its logger. It returns the exit
// code of an init script, for the service; in runit it is that of the logger.
func (c *client) printStatusLine(t *target) (code int) {
	r, there := c.readStatus(t, t.dir)
	switch there {
	case resultError:
		return lsbUnknown
	case resultNotRunning:
		return c.failures
	}
	code = c.printStatus(r, t, t.dir, t.arg)
	log := &target{arg: t.arg + "/log", dir: t.dir + "/log"}
	switch err := checkDir(log.dir); err {
	case syscall.ENOENT:
		c.print("\n")
		return code
	case nil:
		c.print("; ")
		if r, there := c.readStatus(log, log.dir); there == resultOK {
			c.printStatus(r, t, log.dir, "log")
			c.print("\n")
		}
	default:
		c.print("; ")
		c.warn(log, "unable to change directory", err)
	}
	return code
}

// printStatus prints the status in runit's format, and returns the exit code of an init
// script.
func (c *client) printStatus(r serviceStatus, t *target, dir, name string) (code int) {
	normallyUp, err := isNormallyUp(dir)
	if err != nil {
		c.warnStderr("unable to stat "+t.arg+"/down", err)
		return lsbUnknown
	}
	switch r.State {
	case svdir.StateDown:
		c.print("down: ")
	case svdir.StateRun:
		c.print("run: ")
	case svdir.StateFinish:
		c.print("finish: ")
	}
	c.print(name + ": ")
	if r.State != svdir.StateDown {
		// runit converts the pid from int to unsigned long.
		c.print("(pid " + strconv.FormatUint(uint64(int32(r.PID)), 10) + ") ")
	}
	c.print(strconv.FormatUint(r.Age(c.now), 10) + "s")
	up := r.PID != 0
	switch {
	case up && !normallyUp:
		c.print(", normally down")
	case !up && normallyUp:
		c.print(", normally up")
	}
	if up && r.Paused {
		c.print(", paused")
	}
	switch {
	case !up && r.Want == svdir.WantUp:
		c.print(", want up")
	case up && r.Want == svdir.WantDown:
		c.print(", want down")
	}
	if up && r.GotTERM {
		c.print(", got TERM")
	}
	if up {
		return 0
	}
	return lsbDown
}

// reportNotRunning reports that the service has no supervisor, which is the intended
// effect of exit.
func (c *client) reportNotRunning(t *target) {
	const what = "runsv not running"
	if c.action.letters == "x" {
		c.print("ok: " + t.arg + ": " + what + "\n")
		c.flush()
		return
	}
	c.fail(t, what, nil)
}

func (c *client) fail(t *target, what string, err error) { c.report("fail: ", t, what, err) }
func (c *client) warn(t *target, what string, err error) { c.report("warning: ", t, what, err) }

// report prints a failure to standard output, as runit does.
func (c *client) report(kind string, t *target, what string, err error) {
	c.failures++
	c.print(kind + t.arg + ": " + what)
	if err != nil {
		c.print(": " + applet.Reason(err))
	}
	c.print("\n")
	c.flush()
	c.notes.explain(t.arg, err)
}

// warnStderr prints a warning to standard error.
func (c *client) warnStderr(what string, err error) {
	c.e.Stderr.WriteString("warning: " + what + ": " + applet.Reason(err) + "\n")
}

func (c *client) print(s string) { c.out = append(c.out, s...) }

func (c *client) flush() {
	c.e.Stdout.Write(c.out)
	c.out = c.out[:0]
}
