package services

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"svinit/services/epoll"
)

// saveStatus writes the status, and lets the tools find the service once there
// is one.
func (o *owner) saveStatus() {
	o.writeStatus()
	if o.state != nil {
		if err := o.state.Announce(); err != nil {
			o.warn("listen in", o.state.Path, err)
			o.statusRetry = true
		}
	}
}

// hold takes the state directory and waits for commands there. Without an error
// the service may run; also, with a warning, where no place for its state can
// be written. An error may pass, and until then the service must not run: above
// all not while another supervisor has it.
func (o *owner) hold() error {
	h, err := holdState(o.cfg, o.Source.Dir, o.Source.Name)
	if err == nil {
		if err = o.cfg.Poll.Add(h.Control(), epoll.Edge, o.inbox.poke); err == nil {
			o.state = h
			return nil
		}
		h.Release()
	}
	if unwritable(err) {
		o.warn("take commands for", o.Source.Name, err)
		return nil
	}
	return err
}

// close writes the last status and closes what the owner holds open.
func (o *owner) close() {
	if n := o.unread(); n > 0 && o.ReleaseWhenDown && o.Draining {
		o.news(fmt.Sprintf("ended, and %d bytes are left that it has not read", n))
	}
	o.writeStatus()
	if o.timer != nil {
		o.timer.Stop()
	}
	if o.state != nil {
		o.cfg.Poll.Remove(o.state.Control())
		o.state.Release()
	}
}

// writeStatus writes the status. A failure is one warning: the service runs on
// all the same.
func (o *owner) writeStatus() {
	o.statusDirty = false
	if o.state == nil {
		return
	}
	err := o.state.WriteStatus(o.status())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// The directory has been removed, so nobody can read the status.
	case err != nil:
		o.warn("write", o.state.Path+"/status", err)
		o.statusRetry = true
	default:
		delete(o.warned, "write")
	}
}

// warn reports what could not be done, once until the reason changes: a retry
// that fails for the same reason is not reported again.
func (o *owner) warn(verb, object string, err error) {
	reason := err.Error()
	var errno syscall.Errno
	if errors.As(err, &errno) {
		reason = errno.Error()
	}
	if o.warned[verb] != reason {
		if o.warned == nil {
			o.warned = make(map[string]string)
		}
		o.warned[verb] = reason
		o.cfg.warn(verb, object, err)
	}
}

// news reports that something happened to the service.
func (o *owner) news(what string) { o.cfg.news(o.Source.Name, what) }
