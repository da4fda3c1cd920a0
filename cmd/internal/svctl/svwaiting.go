package svctl

import (
	"syscall"
	"time"

	"svinit/services/program"
	"svinit/services/svdir"
)

// wait looks at the services until the command has had its effect on all, or
// the time is over. The lines come in runit's order; between two looks runit
// sleeps, and this waits for a change.
func (c *client) wait() {
	v := newVigil()
	defer v.close()
	for _, t := range c.targets {
		t.watch = v.add(t.state)
	}
	end := c.deadline()
	for {
		late := !c.now.Before(end)
		left := c.targets[:0]
		for _, t := range c.targets {
			t.asks = false
			switch {
			case c.settled(t):
			case late:
				c.late(t)
			default:
				left = append(left, t)
				if v.gone(t.watch) { // and there is another, in another directory
					v.drop(t.watch)
					t.watch = v.add(t.state)
					t.asks = true // what has happened before add
				}
				continue
			}
			v.drop(t.watch)
		}
		c.targets = left
		if len(left) == 0 {
			return
		}
		next := end
		if again := c.now.Add(svPause); c.asking(v) && again.Before(end) {
			next = again
		}
		v.wait(next)
		c.now = time.Now()
	}
}

// deadline returns when the time is over: at runit's first look after it.
func (c *client) deadline() time.Time {
	const century = 100 * 365 * 24 * 3600
	pauses := time.Duration(min(c.patience, century)) * time.Second / svPause
	return c.start.Add((pauses + 1) * svPause)
}

// asking reports whether there is something that no event tells of: a check
// that has said no, or a directory that cannot be watched.
func (c *client) asking(v *vigil) bool {
	for _, t := range c.targets {
		if t.asks || !v.sees(t.watch) {
			return true
		}
	}
	return false
}

// settled looks at a service once more, and reports whether that was the last
// time: the effect is there, or cannot be waited for.
func (c *client) settled(t *target) bool {
	if dir, err := c.find(t.arg); err != nil {
		c.fail(t, "unable to change to service directory", err)
		return true
	} else {
		t.dir = dir
	}
	r, there := c.look(t, t.dir)
	if there != present {
		return true
	}
	if !c.holds(t, r) {
		return false
	}
	c.say("ok: ")
	c.sentence(r, t, t.dir, t.arg)
	c.say("\n")
	c.flush()
	return true
}

// late says that the time is over.
func (c *client) late(t *target) {
	if c.order.kills {
		c.say("kill: ")
	} else {
		c.say("timeout: ")
	}
	if r, there := c.look(t, t.dir); there == present {
		c.sentence(r, t, t.dir, t.arg)
		c.trouble++
	}
	c.say("\n")
	c.flush()
	if c.order.kills {
		c.command(t, "k")
	}
}

// holds reports whether a command has had its effect: that of each of its
// letters.
func (c *client) holds(t *target, r reading) bool {
	for _, letter := range []byte(c.order.await) {
		if !c.effect(letter, t, r) {
			return false
		}
	}
	return true
}

// effect reports whether a letter has had its effect. runit knows of a restart
// only that the service was started in the second in which sv was, or later,
// which may have been before; ours must have been started since.
func (c *client) effect(letter byte, t *target, r reading) bool {
	up := r.PID != 0
	once := r.Want == svdir.WantDown || r.ours && r.Want == svdir.WantOnce
	fresh := r.Since.Unix() >= c.start.Unix()
	switch letter {
	case 'x':
		return false
	case 'u':
		return up && r.State == svdir.StateRun && c.check(t)
	case 'd':
		return !up && r.State == svdir.StateDown
	case 'C':
		return !up || c.check(t)
	case 't', 'k':
		switch {
		case !up && r.ours:
			return once
		case !up:
			return r.Want == svdir.WantDown
		case r.ours:
			fresh = restarted(r.Status, t.before.Status)
		}
		return fresh && !r.GotTERM && c.check(t)
	case 'o':
		return (up || fresh) && (!up || once)
	case 'p':
		return !up || r.Paused
	case 'c':
		return !up || !r.Paused
	}
	return true
}

// restarted reports whether another process runs than before.
func restarted(s, before svdir.Status) bool {
	return s.PID != 0 && !(s.PID == before.PID && s.Since.Equal(before.Since) && s.Restarts == before.Restarts)
}

// check runs the service's ./check and reports whether it says that the
// service is available. It has no standard output, and what cannot be run has
// nothing to object, both as in runit; to which also one that was killed had
// nothing to object.
func (c *client) check(t *target) bool {
	name := t.arg + "/check"
	var st syscall.Stat_t
	switch err := syscall.Stat(t.dir+"/check", &st); err {
	case nil:
	case syscall.ENOENT:
		return true
	default:
		c.complain("unable to stat "+name, err)
		t.asks = true
		return false
	}
	const closed = ^uintptr(0)
	pid, err := syscall.ForkExec("check", []string{"./check"}, &syscall.ProcAttr{
		Dir:   t.dir,
		Env:   c.e.Environ(),
		Files: []uintptr{0, closed, 2},
	})
	if err != nil {
		c.complain("unable to run "+name, err)
		return true
	}
	ws, err := program.Wait(pid)
	if err != nil {
		c.complain("unable to wait for child "+name, err)
	}
	t.asks = err != nil || ws.ExitStatus() != 0
	return !t.asks
}
