package services

import (
	"path/filepath"

	"svinit/services/machine"
	"svinit/services/scan"
	"svinit/services/spec"
)

// entry is a service directory that is listed in the scan directory, or was
// until a moment ago: its main service, its logger, and the pipe between.
type entry struct {
	spec.Source
	id        spec.Identity
	main, log *owner   // nil when it has ended
	pipe      *logPipe // nil without a logger
	leaving   bool     // no longer listed; it goes when both have ended

	unstoppable bool // the service still runs, and nobody can stop it
}

// add starts what is in a new service directory.
func (s *Set) add(c scan.Change) {
	e := &entry{Source: c.Source, id: c.ID}
	s.entries[e.id] = e
	if c.Logger {
		s.startLogger(e)
	}
	s.startMain(e)
}

func (s *Set) startMain(e *entry) {
	e.main = newOwner(s.cfg, e.Source, s.slots, s.inbox.send)
	e.main.output = e.pipe
	s.running++
	s.startOwner(e.main)
}

// startLogger starts the logger. Its pipe stays for as long as the entry does.
func (s *Set) startLogger(e *entry) {
	log := e.logSource()
	if e.pipe == nil {
		pipe, err := newLogPipe()
		if err != nil {
			s.cfg.warn("log "+e.Name+" to", log.Dir, err)
			s.scanner.Report(e.id, scan.LoggerFailed)
			return
		}
		e.pipe = pipe
	}
	e.log = newOwner(s.cfg, log, s.slots, s.inbox.send)
	e.log.input = e.pipe
	s.startOwner(e.log)
}

func (s *Set) startOwner(o *owner) {
	if !s.begun && s.cfg.First != nil {
		s.cfg.First()
	}
	s.begun = true
	go o.run()
}

// refresh has what could not be started tried again. A logger that was added is
// used from the next start of the service on.
func (s *Set) refresh(e *entry, logger bool) {
	if logger && e.pipe == nil {
		if s.startLogger(e); e.pipe != nil && e.main != nil {
			e.main.inbox.send(e.pipe)
		}
	}
	if e.main != nil {
		e.main.order(machine.Changed)
	}
	if e.log != nil {
		e.log.order(machine.Changed)
	}
}

// ownerEnded notes the end of an owner, whose process may still run.
func (s *Set) ownerEnded(o *owner, runs bool) {
	for _, e := range s.entries {
		released := scan.MainReleased
		switch o {
		case e.main:
			e.main = nil
			s.running--
			e.unstoppable = runs
		case e.log:
			e.log = nil
			released = scan.LoggerReleased
		default:
			continue
		}
		if e.leaving {
			s.wrapUp(e)
		} else {
			s.scanner.Report(e.id, released)
		}
		return
	}
}

// wrapUp goes on with an entry that is leaving: when the service has ended its
// logger reads what is left, and when that has ended the entry goes.
func (s *Set) wrapUp(e *entry) {
	switch {
	case e.main != nil:
	case e.log != nil:
		e.log.order(machine.Drain)
		if e.unstoppable {
			e.log.order(machine.TermLogger) // its input does not end
		}
	default:
		if e.pipe != nil {
			e.pipe.close()
		}
		delete(s.entries, e.id)
		s.scanner.Report(e.id, scan.Gone)
	}
}

// logSource is the source of the logger.
func (e *entry) logSource() spec.Source {
	return spec.Source{Name: e.Name + "/log", Dir: filepath.Join(e.Dir, "log")}
}

// rename follows a directory to its new name.
func (e *entry) rename(src spec.Source) {
	e.Source = src
	if e.main != nil {
		e.main.inbox.send(src)
	}
	if e.log != nil {
		e.log.inbox.send(e.logSource())
	}
}

// leave has the service stop; wrapUp does the rest when it has.
func (e *entry) leave() {
	e.leaving = true
	if e.main != nil {
		e.main.order(machine.Release)
	}
}

// hurry has an entry that is listed again before it has gone end sooner: its
// logger may wait for the end of an input that a process in the background holds
// open.
func (e *entry) hurry() {
	if e.main == nil && e.log != nil && e.pipe.unread() == 0 {
		e.log.order(machine.TermLogger)
	}
}
