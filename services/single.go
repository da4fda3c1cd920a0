package services

import (
	"errors"

	"svinit/services/machine"
	"svinit/services/spec"
	"svinit/services/svdir"
)

// Single supervises one service directory and no logger, as supervise(8)
// does. One goroutine (Run) owns it.
type Single struct {
	owner *owner
	done  chan struct{}
}

// NewSingle acquires the service directory dir, an absolute path; name is what
// it is called in messages. Errors: svdir.ErrLocked (wrapped) when another
// supervisor has it.
func NewSingle(cfg *Config, name, dir string) (*Single, error) {
	s := &Single{done: make(chan struct{})}
	s.owner = newOwner(cfg, spec.Source{Name: name, Dir: dir}, newSlots(maxParallel), func(r report) {
		if r.kind == ownerEnded {
			close(s.done)
		}
	})
	held, err := holdState(cfg, dir, name)
	if err == nil {
		err = s.owner.take(held)
	}
	if !errors.Is(err, svdir.ErrLocked) { // said when the service starts
		err = nil
	}
	return s, err
}

// Run supervises until x was commanded or Stop called, and the service has
// ended.
func (s *Single) Run() { s.owner.run() }

// Stop stops the service by its own rule and releases it.
func (s *Single) Stop() {
	s.owner.cfg.stopping.Store(true)
	s.owner.order(machine.Release)
}

// Kill kills it.
func (s *Single) Kill() { s.owner.order(machine.Kill) }

// Down is closed when Run returns.
func (s *Single) Down() <-chan struct{} { return s.done }

// Done is closed when Run returns.
func (s *Single) Done() <-chan struct{} { return s.done }
