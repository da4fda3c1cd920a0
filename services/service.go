package services

import (
	"sync/atomic"
	"syscall"
	"time"

	"svinit/services/svdir"
)

// service is one supervised process, the main one of a service directory or
// its logger. A goroutine of its own (own) has all of it; others ask.
type service struct {
	cfg    *Config
	name   string   // "memcached", "memcached/log"
	dir    string   // the service directory
	input  *logPipe // a logger's
	output *logPipe // where standard output goes when there is a logger

	bell   chan struct{}           // rung for: a command, a question, a new place
	asked  atomic.Uint32           // askLeave … askChanged, a bit each
	moved  atomic.Pointer[place]   // the directory's new name
	logger atomic.Pointer[logPipe] // a logger that was added
	exits  chan syscall.WaitStatus // one process at a time, so one place is enough
	ended  func()                  // called by the owner as its last act
	turns  chan struct{}           // one is taken for each aside; may be nil

	machine
	taken    bool        // taken up: it may run
	stale    bool        // the status is to be written
	redo     bool        // and could not be: when we are next rung
	held     *svdir.Held // nil where no state directory can be had
	pid      int
	since    time.Time // of the last change of pid
	wake     *time.Timer
	starts   uint32
	last     syscall.WaitStatus // valid when lives > 0
	lives    uint32
	unsaid   func() // says how the last process died
	oomKills uint64
	warned   map[string]string // the last warning by verb, not to be repeated
}

// place is what a service directory is called.
type place struct{ name, dir string }

// newService returns a service whose owner does not run yet.
func newService(cfg *Config, p place) *service {
	return &service{
		cfg:   cfg,
		name:  p.name,
		dir:   p.dir,
		bell:  make(chan struct{}, 1),
		exits: make(chan syscall.WaitStatus, 1),
	}
}

// ring wakes the owner. It never blocks: one ring is as good as ten.
func (s *service) ring() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// ask lets the owner know an event of the set's.
func (s *service) ask(ev event) {
	s.asked.Or(1 << ev)
	s.ring()
}

// move tells the owner that its directory has another name now.
func (s *service) move(p place) {
	s.moved.Store(&p)
	s.ring()
}

// attach gives the service a logger from its next start on.
func (s *service) attach(p *logPipe) {
	s.logger.Store(p)
	s.ring()
}
