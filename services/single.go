package services

// Single supervises one service directory and no logger, as supervise(8)
// does. One goroutine (Run) owns it.
type Single struct {
	svc  *service
	done chan struct{}
}

// NewSingle takes the service directory dir, an absolute path; name is what
// it is called in messages. Errors: svdir.ErrLocked (wrapped) when another
// supervisor has it, and those of the system.
func NewSingle(cfg *Config, name, dir string) (*Single, error) {
	s := &Single{svc: newService(cfg, place{name, dir}), done: make(chan struct{})}
	s.svc.ended = func() { close(s.done) }
	return s, s.svc.hold()
}

// Run supervises until x was commanded or Stop called, and the service has
// ended.
func (s *Single) Run() { s.svc.own() }

// Stop stops the service by its own rule and lets go of it.
func (s *Single) Stop() { s.svc.ask(askLeave) }

// Kill kills it.
func (s *Single) Kill() { s.svc.ask(askKill) }

// Down is closed when Run returns.
func (s *Single) Down() <-chan struct{} { return s.done }

// Done is closed when Run returns.
func (s *Single) Done() <-chan struct{} { return s.done }
