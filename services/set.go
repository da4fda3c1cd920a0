package services

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"svinit/services/machine"
	"svinit/services/scan"
	"svinit/services/spec"
)

// maxParallel is how many slots there are unless Config says so.
const maxParallel = 4

// Set supervises the services of a scan directory. One goroutine (Run) owns
// it; the methods only ask. It makes no call into a file system: what there is
// to supervise it hears from a scan.Scanner.
type Set struct {
	cfg     *Config
	dir     string
	scanner *scan.Scanner

	inbox inbox[report] // of the owners; poked for a request
	ask   atomic.Uint32 // requests, a bit each

	slots    *slots
	entries  map[spec.Identity]*entry
	running  int // main services whose owner has not ended
	stopping bool
	begun    bool // an owner has been started

	down chan struct{} // closed when stopping and no main service is left
	done chan struct{} // closed when stopping and nothing is left
}

const (
	reqStop = 1 << iota
	reqKill
	reqTermLoggers
	reqKillLoggers
)

// NewSet returns a Set for the scan directory dir, an absolute path.
func NewSet(cfg *Config, dir string) *Set {
	s := &Set{
		cfg:     cfg,
		dir:     dir,
		inbox:   newInbox[report](),
		slots:   newSlots(cmp.Or(cfg.MaxParallel, maxParallel)),
		entries: make(map[spec.Identity]*entry),
		down:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	var slots chan struct{}
	if cap(s.slots.taken) == 1 {
		slots = s.slots.taken
	}
	s.scanner = scan.New(dir, cfg.Poll, slots)
	return s
}

// Rescan reads the scan directory anew, and starts again what was let go.
func (s *Set) Rescan() { s.scanner.Rescan() }

// Stop stops every service by its own rule and starts none; loggers end when
// they have read everything.
func (s *Set) Stop() {
	s.cfg.stopping.Store(true)
	s.request(reqStop)
}

// Kill kills the services that Stop has not stopped yet.
func (s *Set) Kill() { s.request(reqKill) }

// TermLoggers sends TERM to the loggers that have read everything, or will
// read nothing, and have not ended yet.
func (s *Set) TermLoggers() { s.request(reqTermLoggers) }

// KillLoggers kills the loggers that have not ended yet.
func (s *Set) KillLoggers() { s.request(reqKillLoggers) }

// Down is closed after Stop when all services but loggers have ended.
func (s *Set) Down() <-chan struct{} { return s.down }

// Done is closed after Stop when all have, and Run returns.
func (s *Set) Done() <-chan struct{} { return s.done }

func (s *Set) request(r uint32) {
	s.ask.Or(r)
	s.inbox.poke()
}

// Run supervises until Stop has done its work.
func (s *Set) Run() {
	var ended <-chan struct{}
	if s.ask.Load()&reqStop == 0 {
		ended = s.scanner.Ended()
		go s.scanner.Run()
	}
	for !s.stopping || len(s.entries) > 0 {
		s.wait()
	}
	if ended != nil {
		select {
		case <-ended:
		case <-time.After(scannerGrace):
		}
	}
	close(s.done)
}

// scannerGrace is how long the Set waits for its scanner at the end, which is
// usually there at once. An exit takes longer without that (see scan.Scanner.Ended),
// but not more.
const scannerGrace = 10 * time.Millisecond

// wait waits for something to happen and does what follows. A panic costs no
// more than that.
func (s *Set) wait() {
	defer func() {
		if p := recover(); p != nil {
			s.wentWrong(fmt.Sprintf("%v: %s", p, debug.Stack()))
		}
	}()
	select {
	case <-s.inbox.wake:
		s.answer()
	case c := <-s.scanner.Changes():
		if !s.stopping {
			s.apply(c)
		}
	}
}

// wentWrong reports a panic.
func (s *Set) wentWrong(text string) {
	s.cfg.news("scan of "+s.dir, "went wrong: a bug of svinit: "+text)
}

// answer handles requests and reports.
func (s *Set) answer() {
	asked := s.ask.Swap(0)
	first := asked&reqStop != 0 && !s.stopping
	if first {
		s.stopOwners()
	}
	if asked&reqKill != 0 {
		for _, e := range s.entries {
			if e.main != nil {
				e.main.order(machine.Kill)
			}
		}
	}
	for _, r := range s.inbox.take() {
		if r.kind == ownerEnded {
			s.ownerEnded(r.owner, r.runs)
		}
	}
	if first {
		s.stopEnded()
	}
	if asked&(reqTermLoggers|reqKillLoggers) != 0 {
		s.endLoggers(asked)
	}
	s.checkDown()
}

// endLoggers ends the loggers whose service has ended.
func (s *Set) endLoggers(asked uint32) {
	for _, e := range s.entries {
		if e.log == nil || e.main != nil {
			continue
		}
		if asked&reqTermLoggers != 0 && e.pipe.unread() == 0 {
			e.log.order(machine.TermLogger)
		}
		if asked&reqKillLoggers != 0 {
			e.log.order(machine.Kill)
		}
	}
}

// stopOwners stops the scanner and every service.
func (s *Set) stopOwners() {
	s.stopping = true
	s.scanner.Stop()
	for _, e := range s.entries {
		if !e.leaving && e.main != nil {
			e.leave()
		}
	}
}

// stopEnded stops the entries whose service has ended already.
func (s *Set) stopEnded() {
	for _, e := range s.entries {
		if !e.leaving {
			e.leave()
			s.wrapUp(e)
		}
	}
}

// checkDown closes down at the moment when the last main service has ended.
func (s *Set) checkDown() {
	if s.stopping && s.running == 0 {
		s.running = -1 // once
		close(s.down)
	}
}

// apply does what follows from a change in the scan directory.
func (s *Set) apply(c scan.Change) {
	switch c.Kind {
	case scan.Added:
		s.add(c)
	case scan.Invalid:
		s.cfg.warn("supervise", c.Name, c.Err)
	case scan.InvalidLogger:
		s.cfg.warn("log "+c.Name+" to", c.Dir, c.Err)
	case scan.Unreadable, scan.Hanging:
		s.cfg.warn("read", c.Dir, c.Err)
	case scan.Unwatched:
		s.cfg.warn("watch", c.Dir, c.Err)
	case scan.Panicked:
		s.wentWrong(c.Err.Error())
	default:
		if e := s.entries[c.ID]; e != nil && !e.leaving {
			s.applyTo(e, c)
		} else if e != nil && c.Kind == scan.Returned {
			e.hurry()
		}
	}
}

// applyTo does what follows for an entry that is listed.
func (s *Set) applyTo(e *entry, c scan.Change) {
	switch c.Kind {
	case scan.Changed:
		s.refresh(e, c.Logger)
	case scan.Renamed:
		e.rename(c.Source)
	case scan.Acquire:
		if c.Logger && e.log == nil {
			s.startLogger(e)
		}
		if c.Main && e.main == nil {
			s.startMain(e)
		}
	case scan.Removed:
		e.leave()
		s.wrapUp(e)
	}
}
