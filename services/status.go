package services

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/epoll"
	"svinit/services/machine"
	"svinit/services/spec"
	"svinit/services/svdir"
	"svinit/services/svlog"
)

// startAcquisition starts the job that takes the state directory and reads what
// the service is.
func (o *owner) startAcquisition() {
	cfg, src, held := o.cfg, o.Source, o.state
	o.acquireAt = time.Time{}
	o.diskJob = o.startJob(func(j *job) jobResult {
		var err error
		if held == nil {
			held, err = holdState(cfg, src.Dir, src.Name)
		}
		// A service directory that is gone is the set's business.
		gone := err != nil && unix.Access(src.Dir, unix.F_OK) != nil
		s, problems := spec.Load(src)
		if held != nil && j.state.Load() == jobAbandoned {
			held.Release()
		}
		return func() {
			o.diskJob = nil
			o.acquire(held, err, gone)
			if o.acquired && o.State != machine.StateReleased {
				o.spec = s
				o.warnAbout(problems)
				o.begin()
			}
		}
	})
}

// take waits for commands in a state directory.
func (o *owner) take(held *svdir.Held) error {
	if err := o.cfg.Poll.Add(held.Control(), epoll.Edge, o.inbox.poke); err != nil {
		held.Release()
		return err
	}
	o.state = held
	return nil
}

// acquire applies the result of hold.
func (o *owner) acquire(held *svdir.Held, err error, gone bool) {
	if o.state == nil && err == nil {
		err = o.take(held)
	}
	switch {
	case err == nil:
		o.acquired = true
	case !errors.Is(err, svdir.ErrLocked) && !gone:
		o.warn(takeCommands, o.Source.Name, err)
		o.acquired = true
	default:
		// An error may pass, and until then the service must not run, above all
		// not while another supervisor has it.
		if !gone {
			o.warn("supervise", o.Source.Name, err)
		}
		o.acquireAt = time.Now().Add(machine.RetryDelay(o.failures))
		o.failures++
	}
}

// begin starts the service, unless its directory says that it is down, or it is
// released before its first start.
func (o *owner) begin() {
	first := machine.Up
	if o.spec.Down {
		first = machine.Down
	}
	o.handle(first.At(time.Now()))
	o.specFresh = o.launching // a later start reads it anew
	o.statusDirty = true
}

// startClose starts the job that writes the last status and gives the state
// directory up.
func (o *owner) startClose() {
	held, status := o.state, o.status()
	o.state = nil
	o.cfg.Poll.Remove(held.Control())
	o.diskJob = o.startJob(func(*job) jobResult {
		err := held.WriteStatus(status)
		path := held.Path
		held.Release()
		return func() {
			o.diskJob = nil
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				o.warn("write", path+"/status", err)
			}
		}
	})
}

// task is what could not be done: a verb and its object, such as the path of a
// file.
type task struct{ verb, object string }

// warn reports what could not be done, once until the reason changes: a retry
// that fails for the same reason is not reported again.
func (o *owner) warn(verb, object string, err error) {
	reason := err.Error()
	var errno syscall.Errno
	if errors.As(err, &errno) {
		reason = errno.Error()
	}
	if t := (task{verb, object}); o.warned[t] != reason {
		if o.warned == nil {
			o.warned = make(map[task]string)
		}
		o.warned[t] = reason
		o.cfg.warn(verb, object, err)
	}
}

// clearWarning notes that a verb was successful, whatever the name of its object
// was: what fails from now on is reported again.
func (o *owner) clearWarning(verb string) {
	maps.DeleteFunc(o.warned, func(t task, _ string) bool { return t.verb == verb })
}

// warnAbout reports the problems of a service directory that do not prevent its
// start, each once as long as it lasts. With a fatal problem not everything has
// been read, so that nothing is known to be fixed.
func (o *owner) warnAbout(problems []spec.Problem) {
	var lasting []string
	if slices.ContainsFunc(problems, func(p spec.Problem) bool { return p.Fatal }) {
		lasting = o.problems
	}
	for _, p := range problems {
		if p.Fatal {
			continue
		}
		e := svlog.Unable(p.Verb, p.Object(), p.Err)
		if !slices.Contains(o.problems, e.Text) {
			o.cfg.Report(e)
		}
		if !slices.Contains(lasting, e.Text) {
			lasting = append(lasting, e.Text)
		}
	}
	o.problems = lasting
}

// news reports that something happened to the service.
func (o *owner) news(what string) { o.cfg.news(o.Source.Name, what) }
