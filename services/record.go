package services

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"syscall"

	"svinit/services/epoll"
	"svinit/services/svdir"
)

// record writes the status, and lets the tools find us once there is one.
func (s *service) record() {
	s.writeStatus()
	if s.held != nil {
		if err := s.held.Announce(); err != nil {
			s.warn("listen in", s.held.Path, err)
			s.redo = true
		}
	}
}

// hold takes the state directory and waits for commands there. Without error
// the service may run: also, with a warning, where no place for its state can
// be written. An error may pass, and until then it may not: above all not
// while another supervisor has it.
func (s *service) hold() error {
	h, err := holdState(s.cfg, s.dir, s.name)
	if err == nil {
		if err = s.cfg.Poll.Add(h.Control(), epoll.Edge, s.ring); err == nil {
			s.held = h
			return nil
		}
		h.Release()
	}
	if unwritable(err) {
		s.warn("take commands for", s.name, err)
		return nil
	}
	return err
}

// release writes the last status and lets go of the state directory.
func (s *service) release() {
	if n := s.unread(); n > 0 && s.letGo && s.draining {
		s.cfg.news(s.name, fmt.Sprintf("ended, and %d bytes are left that it has not read", n))
	}
	s.writeStatus()
	if s.wake != nil {
		s.wake.Stop()
	}
	if s.held != nil {
		s.cfg.Poll.Remove(s.held.Control())
		s.held.Release()
	}
}

// writeStatus writes the record. A failure is one warning: the service runs
// on all the same.
func (s *service) writeStatus() {
	s.stale = false
	if s.held == nil {
		return
	}
	st := svdir.Status{
		Since:    s.since,
		PID:      s.pid,
		Paused:   s.paused && s.pid != 0,
		Want:     s.want,
		GotTERM:  s.gotTERM,
		Restarts: max(s.starts, 1) - 1,
	}
	if s.pid != 0 {
		st.State = svdir.StateRun
	}
	if s.lives > 0 {
		st.Flags |= svdir.FlagEnded
		st.WaitStatus = uint16(s.last & math.MaxUint16)
	}
	if err := s.held.WriteStatus(st); errors.Is(err, fs.ErrNotExist) {
		// The directory has been removed: nobody is left to read it.
	} else if err != nil {
		s.warn("write", s.held.Path+"/status", err)
		s.redo = true
	} else {
		delete(s.warned, "write")
	}
}

// warn says what went wrong, once until it changes: a retry that fails for
// the same reason a step later is no news.
func (s *service) warn(verb, object string, err error) {
	reason := err.Error()
	var errno syscall.Errno
	if errors.As(err, &errno) {
		reason = errno.Error()
	}
	if s.warned[verb] != reason {
		if s.warned == nil {
			s.warned = make(map[string]string)
		}
		s.warned[verb] = reason
		s.cfg.warn(verb, object, err)
	}
}
