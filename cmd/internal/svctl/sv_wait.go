package svctl

import (
	"syscall"
	"time"

	"svinit/services/program"
	"svinit/services/svdir"
)

// waitForAll waits until the command has had its effect on all services, or until the
// timeout. It prints lines in runit's order. runit polls; we wait for changes.
func (c *client) waitForAll() {
	w := newWatcher()
	defer w.close()
	for _, t := range c.targets {
		if !t.unsent {
			t.watch = w.add(t.state)
		}
	}
	end := c.deadline()
	for {
		expired := !c.now.Before(end)
		pending := c.targets[:0]
		next := end
		for _, t := range c.targets {
			t.poll, t.wake = false, time.Time{}
			switch {
			case !expired && c.isAwaited(w, t):
				pending = append(pending, t)
				continue
			case t.unsent && !c.sendLate(w, t):
			case c.isSettled(t):
			case expired:
				c.reportTimeout(t)
			default:
				pending = append(pending, t)
				if w.supervisorGone(t.watch) { // but isSettled has found another supervisor, in another directory
					w.drop(t.watch)
					t.watch = w.add(t.state)
					t.poll = true // to see changes before add
				}
				next = earlier(next, t.wake)
				continue
			}
			if t.watch != unsupervised {
				w.drop(t.watch)
			}
		}
		c.targets = pending
		if len(pending) == 0 {
			return
		}
		if c.needsPolling(w) {
			next = earlier(next, c.now.Add(pollInterval))
		}
		w.wait(next)
		c.now = time.Now()
	}
}

// isAwaited reports whether the service is about to be supervised, which the watcher then
// reports.
func (c *client) isAwaited(w *watcher, t *target) bool {
	scanner, ok := c.expects(t)
	if !ok {
		return false
	}
	if t.watch != unsupervised { // its supervisor has exited, and another will come
		w.drop(t.watch)
		t.watch = unsupervised
		t.unsent = true
	}
	w.expect(c.e, t.dir, scanner)
	_, ok = c.expects(t) // it may have come before expect
	return ok
}

// sendLate sends the command to a service that is supervised at last. It reports whether
// there is an effect to wait for.
func (c *client) sendLate(w *watcher, t *target) bool {
	t.unsent = false
	if c.action.letters != "" {
		if !c.sendCommand(t, c.action.letters) {
			return false
		}
	} else if state, err := findState(c.e, t.dir); err == nil {
		t.state = state
	}
	t.watch = w.add(t.state)
	return true
}

// deadline returns the end of the timeout, rounded up to the time at which runit polls.
func (c *client) deadline() time.Time {
	const century = 100 * 365 * 24 * 3600
	pauses := time.Duration(min(c.timeout, century)) * time.Second / pollInterval
	return c.start.Add((pauses + 1) * pollInterval)
}

// needsPolling reports whether there is a service whose change causes no event: its
// check has failed, or its directory cannot be watched.
func (c *client) needsPolling(w *watcher) bool {
	for _, t := range c.targets {
		if t.poll || t.watch != unsupervised && !w.isWatched(t.watch) || t.watch == unsupervised && !w.canExpect() {
			return true
		}
	}
	return false
}

// isSettled reads the status of a service and reports whether the wait for it is over,
// by success or by an error, which it prints.
func (c *client) isSettled(t *target) bool {
	if dir, err := c.findService(t.arg); err != nil {
		c.fail(t, "unable to change to service directory", err)
		return true
	} else {
		t.dir = dir
	}
	r, there := c.readStatus(t, t.dir)
	if there != resultOK {
		return true
	}
	if !c.hasAllEffects(t, r) {
		return false
	}
	c.print("ok: ")
	c.printStatus(r, t, t.dir, t.arg)
	c.print("\n")
	c.flush()
	return true
}

// reportTimeout prints the status of a service after the timeout, and kills it if the
// command says so.
func (c *client) reportTimeout(t *target) {
	if c.action.killOnTimeout {
		c.print("kill: ")
	} else {
		c.print("timeout: ")
	}
	if r, there := c.readStatus(t, t.dir); there == resultOK {
		c.printStatus(r, t, t.dir, t.arg)
		c.failures++
	}
	c.print("\n")
	c.flush()
	if c.action.killOnTimeout {
		c.sendCommand(t, "k")
	}
}

// hasAllEffects reports whether all letters of the command have had their effects.
func (c *client) hasAllEffects(t *target, r serviceStatus) bool {
	for _, letter := range []byte(c.action.effects) {
		if !c.hasEffect(letter, t, r) {
			return false
		}
	}
	return true
}

// hasEffect reports whether a letter has had its effect. runit takes a service for
// restarted if it was started in the same second as sv or later, which may have been
// before the command; for our services we compare with the status before the command.
func (c *client) hasEffect(letter byte, t *target, r serviceStatus) bool {
	up := r.PID != 0
	once := r.Want == svdir.WantDown || r.ours && r.Want == svdir.WantOnce
	restartedSince := r.Since.Unix() >= c.start.Unix()
	switch letter {
	case 'x':
		return false
	case 'u':
		return up && r.State == svdir.StateRun && c.isUp(t, r)
	case 'd':
		return !up && r.State == svdir.StateDown && !isStarting(r.Status)
	case 'C':
		return !up || c.runCheck(t) != checkFailed
	case 't', 'k':
		switch {
		case !up && r.ours:
			return once
		case !up:
			return r.Want == svdir.WantDown
		case r.ours:
			restartedSince = restarted(r.Status, t.before.Status)
		}
		return restartedSince && !r.GotTERM && c.isUp(t, r)
	case 'o':
		return (up || restartedSince) && (!up || once)
	case 'p':
		return !up || r.Paused
	case 'c':
		return !up || !r.Paused
	}
	return true
}

// isUp reports whether a service that runs is up: whether its ./check succeeds or, without
// one, whether it has settled.
func (c *client) isUp(t *target, r serviceStatus) bool {
	switch c.runCheck(t) {
	case checkPassed:
		return true
	case checkFailed:
		return false
	}
	t.wake = settles(r.Status, time.Now())
	return t.wake.IsZero()
}

// checkResult is the result of a service's ./check.
type checkResult int

const (
	checkMissing checkResult = iota // there is none, or it cannot be executed
	checkPassed
	checkFailed
)

// runCheck runs the service's ./check, which succeeds if it exits 0. As in runit it has no
// standard output, and a check that cannot be executed is no failure. For runit a check
// that is killed is none either; for us it is.
func (c *client) runCheck(t *target) checkResult {
	name := t.arg + "/check"
	var st syscall.Stat_t
	switch err := syscall.Stat(t.dir+"/check", &st); err {
	case nil:
	case syscall.ENOENT:
		return checkMissing
	default:
		c.warnStderr("unable to stat "+name, err)
		t.poll = true
		return checkFailed
	}
	const closed = ^uintptr(0)
	pid, err := syscall.ForkExec("check", []string{"./check"}, &syscall.ProcAttr{
		Dir:   t.dir,
		Env:   c.e.Environ(),
		Files: []uintptr{0, closed, 2},
	})
	if err != nil {
		c.warnStderr("unable to run "+name, err)
		return checkMissing
	}
	ws, err := program.Wait(pid)
	if err != nil {
		c.warnStderr("unable to wait for child "+name, err)
	}
	if t.poll = err != nil || ws.ExitStatus() != 0; t.poll {
		return checkFailed
	}
	return checkPassed
}
