package scan

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"svinit/services/program"
	"svinit/services/spec"
)

// entry is a service directory that was reported as Added, and is not Gone.
type entry struct {
	name, dir string
	id        spec.Identity
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
	path := filepath.Join(s.dir, name)
	id, err := identify(path)
	if known := s.entries[name]; known != nil {
		switch {
		case err != nil || known.id != id:
			return known.leaving || !gone(path, known.id)
		case known.leaving:
			s.emit(Change{Kind: Returned, ID: id})
		default:
			s.refresh(known)
		}
		return true
	}
	if e := s.byID[id]; err == nil && e != nil {
		delete(s.invalid, name)
		s.follow(name, id, "/run")
		if e.leaving && !slices.Contains(e.waiting, name) {
			e.waiting = append(e.waiting, name)
		}
		// A second name; or the new name, if the old one no longer leads there.
		return e.leaving || !gone(filepath.Join(s.dir, e.name), id)
	}
	if err == nil {
		err = program.CheckExecutable(path + "/run")
	} else {
		err = explainEntry(path, err)
	}
	if err != nil {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			s.clearInvalid(name)
			s.forget(name) // it may have been a second name
			return true
		}
		s.setInvalid(name, err, now)
		return true
	}
	s.clearInvalid(name)
	s.add(name, id)
	return true
}

// add reports a new service.
func (s *Scanner) add(name string, id spec.Identity) {
	e := &entry{name: name, dir: resolve(filepath.Join(s.dir, name)), id: id}
	s.entries[name] = e
	s.byID[id] = e
	e.logger = s.findLogger(e)
	s.emit(Change{Kind: Added, ID: id, Source: spec.Source{Name: name, Dir: e.dir}, Logger: e.logger})
	s.follow(e.name, e.id, "/run", "/log/run")
}

// findLogger reports whether a service has a logger. A directory log without
// run is none: an application may keep its own files in a directory of that
// name.
func (s *Scanner) findLogger(e *entry) bool {
	dir := filepath.Join(e.dir, "log")
	if _, err := identify(dir); err != nil {
		if err == errNotDir && !e.badLogger {
			e.badLogger = true
			s.emit(Change{Kind: InvalidLogger, Source: spec.Source{Name: e.name, Dir: dir}, Err: err})
		}
		return false
	}
	return unix.Lstat(dir+"/run", new(unix.Stat_t)) == nil
}

// refresh reports that a service was found as it is known: what could not be
// started may start now, and a logger may have been added. The directory itself
// may have been renamed, and the link to it adjusted.
func (s *Scanner) refresh(e *entry) {
	if dir := resolve(filepath.Join(s.dir, e.name)); dir != e.dir && !gone(dir, e.id) {
		e.dir = dir
		s.emit(Change{Kind: Renamed, ID: e.id, Source: spec.Source{Name: e.name, Dir: dir}})
	}
	c := Change{Kind: Changed, ID: e.id}
	if !e.logger {
		e.logger = s.findLogger(e)
		c.Logger = e.logger
	}
	s.emit(c)
	s.follow(e.name, e.id, "/run", "/log/run")
}

// acquire has what was released and is still listed started again.
func (s *Scanner) acquire() {
	for _, e := range s.entries {
		if e.leaving || !e.mainReleased && !e.loggerReleased {
			continue
		}
		c := Change{
			Kind:   Acquire,
			ID:     e.id,
			Main:   e.mainReleased && program.CheckExecutable(e.dir+"/run") == nil,
			Logger: e.loggerReleased && s.findLogger(e),
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
func (s *Scanner) rename(names map[*entry]string) {
	for e, name := range names {
		delete(s.entries, e.name)
		s.forget(e.name)
		s.clearInvalid(name)
	}
	for e, name := range names {
		e.name, e.dir = name, resolve(filepath.Join(s.dir, name))
		s.entries[name] = e
	}
	for e := range names {
		s.emit(Change{Kind: Renamed, ID: e.id, Source: spec.Source{Name: e.name, Dir: e.dir}})
		s.follow(e.name, e.id, "/run", "/log/run")
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

// follow watches what decides where a name leads, and where these files in its
// directory do.
func (s *Scanner) follow(name string, id spec.Identity, files ...string) {
	if s.watch == nil {
		return
	}
	path := filepath.Join(s.dir, name)
	fresh, err := s.watch.follow(name, s.dir, 0, path, files...)
	if err != nil {
		s.startPolling(err)
	}
	if fresh && gone(path, id) {
		s.recheckLater()
	}
}

// forget stops watching for the entry of this name.
func (s *Scanner) forget(name string) {
	if s.watch != nil {
		s.watch.forget(name)
	}
}
