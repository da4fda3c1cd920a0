package services

import (
	"cmp"
	"errors"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/spec"
	"svinit/services/svdir"
)

// place is what an owner knows of the place where the status is written.
type place struct {
	doubted  bool      // the directory may have changed: look whether the place is still there
	failures uint      // to write the status, in a row
	retryAt  time.Time // when that is tried again
	remakeAt time.Time // when a state directory that was removed may be made again; zero if it is there
}

// The pauses after which a status that could not be written is written again:
// twice as long each time. An event of the service ends a pause.
const (
	minStatusRetry = 50 * time.Millisecond
	maxStatusRetry = 10 * time.Second
)

// remakeAfter is how long a state directory must have been away before it is
// made again: somebody may be removing the whole service directory.
const remakeAfter = time.Second

// takeCommands is the verb of the warning that no place can serve.
const takeCommands = "take commands for"

// saving is what a job needs that writes the status, and its result.
type saving struct {
	cfg    *Config
	src    spec.Source
	held   *svdir.Held // nil where no place could serve so far
	status svdir.Status
	write  bool // the status is to be written, else only if the place is a new one
	remake bool // what was removed may be made again

	removed  bool        // held was removed, and is not made again
	outdated error       // held cannot be written, and has an old status
	fresh    *svdir.Held // what is to be used in the place of held
	holdErr  error       // why there is none
	werr     error       // of writing
	aerr     error       // of opening ok
}

// startSave starts the job that writes the status, and lets the tools find the
// service once there is one.
func (o *owner) startSave() {
	now := time.Now()
	s := &saving{cfg: o.cfg, src: o.Source, held: o.state, status: o.status(), write: o.statusDirty || o.place.failures > 0}
	s.remake = !o.ReleaseWhenDown && (s.held == nil || !o.place.remakeAt.IsZero() && !o.place.remakeAt.After(now))
	o.statusDirty, o.place.doubted = false, false
	if s.held == nil && !s.remake {
		return
	}
	o.diskJob = o.startJob(func(j *job) jobResult {
		s.run()
		if s.fresh != nil && j.state.Load() == jobAbandoned {
			s.fresh.Release()
		}
		return func() {
			o.diskJob = nil
			o.saved(s)
		}
	})
}

// run is the job.
func (s *saving) run() {
	if h := s.held; h != nil && !h.Removed() {
		rerr := h.Remark(s.src.Dir)
		if s.write {
			s.save(h)
		}
		s.werr = cmp.Or(s.werr, rerr)
		if !errors.Is(s.werr, svdir.ErrOutdated) {
			return
		}
		// There the tools would go on to read what is no longer true.
		s.outdated = s.werr
	} else if !s.remake || unix.Access(filepath.Join(s.src.Dir, "run"), unix.F_OK) != nil {
		s.removed = h != nil
		return
	}
	s.fresh, s.holdErr = holdState(s.cfg, s.src.Dir, s.src.Name)
	if s.fresh != nil {
		s.save(s.fresh)
	}
}

func (s *saving) save(h *svdir.Held) {
	s.werr = h.WriteStatus(s.status)
	s.aerr = h.Announce()
}

// saved applies the result of writing the status. A failure is one warning, and
// tried again: the service runs on all the same.
func (o *owner) saved(s *saving) {
	now := time.Now()
	o.place.retryAt = time.Time{}
	if s.removed {
		if o.place.remakeAt.IsZero() {
			o.place.remakeAt = now.Add(remakeAfter)
			o.place.retryAt = o.place.remakeAt
		}
		return
	}
	if s.fresh != nil {
		o.replacePlace(s)
	} else if s.holdErr != nil && s.werr == nil {
		o.warn(takeCommands, o.Source.Name, s.holdErr)
		return
	}
	if s.werr != nil {
		o.warn("write", o.state.Path+"/status", s.werr)
	} else {
		o.clearWarning("write")
	}
	if s.aerr != nil {
		o.warn("listen in", o.state.Path, s.aerr)
	}
	if s.werr == nil && s.aerr == nil {
		o.place.failures = 0
		return
	}
	o.place.retryAt = now.Add(min(minStatusRetry<<min(o.place.failures, 16), maxStatusRetry))
	o.place.failures++
}

// replacePlace takes another state directory in the place of one that was
// removed, or cannot be written any more.
func (o *owner) replacePlace(s *saving) {
	if s.held != nil {
		if s.outdated != nil {
			o.warn("write", s.held.Path+"/status", s.outdated)
		} else {
			o.news("has a new state directory: somebody removed " + s.held.Path + ", or files in it")
		}
		o.cfg.Poll.Remove(s.held.Control())
		go s.held.Release() // may hang
	}
	o.state = nil
	o.place.remakeAt = time.Time{}
	if err := o.take(s.fresh); err != nil {
		o.warn(takeCommands, o.Source.Name, err)
		s.werr, s.aerr = nil, nil
		return
	}
	o.clearWarning(takeCommands)
}
