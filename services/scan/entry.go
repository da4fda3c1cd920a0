package scan

import (
	"path/filepath"
	"slices"

	"svinit/services/spec"
)

// entry is a service directory that was reported as Added, and is not Gone.
type entry struct {
	name, dir string
	id        spec.Identity
	changed   int64    // when the directory was last changed, as far as was seen
	leaving   bool     // reported as Removed
	waiting   []string // names that lead to the same directory, to be looked at when it is Gone

	logger    bool // a logger was reported
	badLogger bool // that log is no directory was reported

	mainReleased, loggerReleased bool // see Fact
}

// hidden names are ignored.
func hidden(name string) bool { return name == "" || name[0] == '.' }

// examine compares one name of the scan directory with what is known of it. It
// reports whether that was enough: where a known directory has gone from a
// name, or come to another, only a scan can tell what has happened. With now, an
// invalid entry is reported at once.
func (s *Scanner) examine(name string, now bool) bool {
	if hidden(name) {
		return true
	}
	x := s.see(name)
	return s.compareEntry(name, &x, now)
}

// compareEntry is examine of a name that has been looked at.
func (s *Scanner) compareEntry(name string, x *sight, now bool) bool {
	if hidden(name) || x.err == errUnknown {
		return true
	}
	if known := s.entries[name]; known != nil {
		switch {
		case x.err != nil || known.id != x.id:
			return known.leaving || !x.gone(known.id)
		case known.leaving:
			s.emit(Change{Kind: Returned, ID: x.id})
		default:
			s.refresh(known, x)
		}
		return true
	}
	if e := s.byID[x.id]; x.err == nil && e != nil {
		delete(s.invalid, name)
		s.follow(name, x, 0, x.lookups)
		if e.leaving {
			if !slices.Contains(e.waiting, name) {
				e.waiting = append(e.waiting, name)
			}
			return true
		}
		// A second name; or the new name, if the old one no longer leads there.
		first := s.see(e.name)
		return !first.gone(x.id)
	}
	switch {
	case x.missing:
		s.clearInvalid(name)
		s.forget(name) // it may have been a second name
	case x.run != nil:
		s.setInvalid(name, x, now)
	default:
		s.clearInvalid(name)
		s.add(name, x)
	}
	return true
}

// add reports a new service.
func (s *Scanner) add(name string, x *sight) {
	e := &entry{name: name, dir: x.dir, id: x.id, changed: x.changed}
	s.entries[name] = e
	s.byID[e.id] = e
	e.logger = s.hasLogger(e, x)
	s.emit(Change{Kind: Added, ID: e.id, Source: spec.Source{Name: name, Dir: e.dir}, Logger: e.logger})
	s.follow(e.name, x, 0, x.lookups, x.logLookups)
}

// hasLogger reports whether a service has a logger. A directory log without
// run is none: an application may keep its own files in a directory of that
// name.
func (s *Scanner) hasLogger(e *entry, x *sight) bool {
	if x.log == errNotDir && !e.badLogger {
		e.badLogger = true
		s.emit(Change{Kind: InvalidLogger, Source: spec.Source{Name: e.name, Dir: filepath.Join(e.dir, "log")}, Err: x.log})
	}
	return x.logger
}

// refresh reports that a service was found as it is known: what could not be
// started may start now, and a logger may have been added. The directory itself
// may have been renamed, and the link to it adjusted.
func (s *Scanner) refresh(e *entry, x *sight) {
	if x.dir != e.dir {
		e.dir = x.dir
		s.emit(Change{Kind: Renamed, ID: e.id, Source: spec.Source{Name: e.name, Dir: e.dir}})
	}
	c := Change{Kind: Changed, ID: e.id}
	if !e.logger {
		e.logger = s.hasLogger(e, x)
		c.Logger = e.logger
	}
	e.changed = x.changed
	s.emit(c)
	s.follow(e.name, x, 0, x.lookups, x.logLookups)
}

// acquire has what was released and is still listed started again.
func (s *Scanner) acquire() {
	for _, e := range s.entries {
		if e.leaving || !e.mainReleased && !e.loggerReleased {
			continue
		}
		x := s.see(e.name)
		if x.err != nil || x.id != e.id {
			continue
		}
		c := Change{
			Kind:   Acquire,
			ID:     e.id,
			Main:   e.mainReleased && x.run == nil,
			Logger: e.loggerReleased && s.hasLogger(e, &x),
		}
		if !c.Main && !c.Logger {
			continue
		}
		e.mainReleased = e.mainReleased && !c.Main
		e.loggerReleased = e.loggerReleased && !c.Logger
		s.emit(c)
	}
}

// rename reports directories under their new names. All old names are given up
// before the first new one is taken: it may be one of them.
func (s *Scanner) rename(names map[*entry]string, listed map[string]*sight) {
	for e, name := range names {
		delete(s.entries, e.name)
		s.forget(e.name)
		s.clearInvalid(name)
	}
	for e, name := range names {
		e.name, e.dir = name, listed[name].dir
		s.entries[name] = e
	}
	for e, name := range names {
		x := listed[name]
		s.emit(Change{Kind: Renamed, ID: e.id, Source: spec.Source{Name: name, Dir: e.dir}})
		s.follow(name, x, 0, x.lookups, x.logLookups)
	}
}

// remove reports that a directory is no longer listed.
func (s *Scanner) remove(e *entry) {
	if e.leaving {
		return
	}
	e.leaving = true
	s.emit(Change{Kind: Removed, ID: e.id})
}

// handle takes in what the receiver reports of a service.
func (s *Scanner) handle(r report) {
	e := s.byID[r.id]
	if e == nil {
		return
	}
	switch r.fact {
	case Gone:
		s.drop(e)
	case MainReleased:
		e.mainReleased = true
	case LoggerReleased:
		e.loggerReleased = true
	case LoggerFailed:
		e.logger = false
	}
}

// drop forgets a service that is Gone. Other names that lead to its directory,
// and what has its name now, are looked at.
func (s *Scanner) drop(e *entry) {
	s.forget(e.name)
	delete(s.entries, e.name)
	delete(s.byID, e.id)
	s.recheckLater() // others may need the descriptors that have become free
	for _, name := range append(e.waiting, e.name) {
		s.examine(name, false)
	}
}
