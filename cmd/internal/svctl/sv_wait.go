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
		t.watch = w.add(t.state)
	}
	end := c.deadline()
	for {
		expired := !c.now.Before(end)
		pending := c.targets[:0]
		for _, t := range c.targets {
			t.poll = false
			switch {
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
				continue
			}
			w.drop(t.watch)
		}
		c.targets = pending
		if len(pending) == 0 {
			return
		}
		next := end
		if poll := c.now.Add(pollInterval); c.needsPolling(w) && poll.Before(end) {
			next = poll
		}
		w.wait(next)
		c.now = time.Now()
	}
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
		if t.poll || !w.isWatched(t.watch) {
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
		return up && r.State == svdir.StateRun && c.runCheck(t)
	case 'd':
		return !up && r.State == svdir.StateDown
	case 'C':
		return !up || c.runCheck(t)
	case 't', 'k':
		switch {
		case !up && r.ours:
			return once
		case !up:
			return r.Want == svdir.WantDown
		case r.ours:
			restartedSince = restarted(r.Status, t.before.Status)
		}
		return restartedSince && !r.GotTERM && c.runCheck(t)
	case 'o':
		return (up || restartedSince) && (!up || once)
	case 'p':
		return !up || r.Paused
	case 'c':
		return !up || !r.Paused
	}
	return true
}

// restarted reports whether the service runs with another process than before.
func restarted(s, before svdir.Status) bool {
	return s.PID != 0 && !(s.PID == before.PID && s.Since.Equal(before.Since) && s.Restarts == before.Restarts)
}

// runCheck runs the service's ./check and reports whether it exits 0. As in runit it
// has no standard output, and a check that cannot be executed counts as success. For
// runit a check that is killed is a success too; for us it is not.
func (c *client) runCheck(t *target) bool {
	name := t.arg + "/check"
	var st syscall.Stat_t
	switch err := syscall.Stat(t.dir+"/check", &st); err {
	case nil:
	case syscall.ENOENT:
		return true
	default:
		c.warnStderr("unable to stat "+name, err)
		t.poll = true
		return false
	}
	const closed = ^uintptr(0)
	pid, err := syscall.ForkExec("check", []string{"./check"}, &syscall.ProcAttr{
		Dir:   t.dir,
		Env:   c.e.Environ(),
		Files: []uintptr{0, closed, 2},
	})
	if err != nil {
		c.warnStderr("unable to run "+name, err)
		return true
	}
	ws, err := program.Wait(pid)
	if err != nil {
		c.warnStderr("unable to wait for child "+name, err)
	}
	t.poll = err != nil || ws.ExitStatus() != 0
	return !t.poll
}
