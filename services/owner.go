package services

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/epoll"
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

// logPipe is the pipe between a service and its logger. Both ends stay open
// here, so that the death of neither side loses a byte.
type logPipe struct{ r, w int }

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

// own is the owner goroutine. It ends when the machine is over.
func (s *service) own() {
	defer s.ended()
	s.want, s.since = wantUp, time.Now()
	// With growing pauses, which a change in the directory ends, until it is
	// ours.
	for pause := minLife; ; pause = min(2*pause, maxRetry) {
		s.aside(s.takeUp)
		if s.taken || s.state == over {
			break
		}
		s.arm(pause)
		select {
		case <-s.bell:
			s.aside(s.listen)
		case <-s.timer():
		}
	}
	for s.state != over {
		// What was done is written down after it was done, and when services
		// start in numbers after the others have had their turn to start.
		if s.stale {
			s.aside(s.record)
		}
		select {
		case <-s.bell:
			s.aside(s.listen)
		case ws := <-s.exits:
			s.aside(func() { s.buried(ws) })
		case <-s.timer():
			s.aside(func() { s.handle(due, input{}) })
		}
	}
	s.aside(s.release)
}

// aside does something in a goroutine of its own, and waits for it; it must not
// wait for anything but the system. Forking
// and writing files make a stack of 8 KB, which a sleeping goroutine keeps; one
// that ends gives it back, so that a service at rest costs 2.
//
// It takes a turn: a call to a slow file system holds a thread of the Go
// runtime, which makes another for the next, and ends the program where the
// system allows no more.
//
// A panic costs the service its supervision, and nobody else anything.
func (s *service) aside(f func()) {
	if s.turns != nil {
		s.turns <- struct{}{}
		defer func() { <-s.turns }()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				s.state = over
				s.cfg.news(s.name, fmt.Sprintf("is no longer supervised: a bug of svinit: %v: %s", p, debug.Stack()))
			}
		}()
		f()
	}()
	<-done
}

// takeUp takes the state directory, if that can be, and then starts the
// service unless it is down.
func (s *service) takeUp() {
	if s.held == nil {
		if err := s.hold(); err != nil {
			// A directory that is gone is the set's business.
			if unix.Access(s.dir, unix.F_OK) == nil {
				s.warn("supervise", s.name, err)
			}
			return
		}
	}
	s.taken = true
	first := cmdUp
	switch err := unix.Access(s.dir+"/down", unix.F_OK); err {
	case unix.ENOENT:
	case nil:
		first = cmdDown
	default:
		// As daemontools: what cannot be known is not started.
		s.warn("stat", s.dir+"/down", err)
		first = cmdDown
	}
	if s.asked.Load() != 0 {
		// It is to leave before it has started; or a change, seen later.
		s.listen()
	}
	if s.state != over {
		s.handle(first, input{})
	}
	s.stale = true
}

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

// listen hears what the bell was rung for.
func (s *service) listen() {
	if p := s.moved.Swap(nil); p != nil {
		s.name, s.dir = p.name, p.dir
	}
	if p := s.logger.Swap(nil); p != nil {
		s.output = p
	}
	if s.redo {
		s.redo, s.stale = false, true
	}
	bits := s.asked.Swap(0)
	for ev := askLeave; ev <= askChanged; ev++ {
		if bits&(1<<ev) != 0 && s.state != over {
			s.handle(ev, input{unread: s.unread()})
		}
	}
	if s.held == nil || s.state == over {
		return
	}
	var b [64]byte
	n, err := s.held.ReadControl(b[:])
	if err != nil {
		s.warn("read", s.held.Path+"/control", err)
	}
	for _, c := range b[:n] {
		if ev, in, ok := command(c); ok && s.state != over {
			s.handle(ev, in)
		}
	}
	if n == len(b) {
		s.ring() // there may be more; an exit must not wait for a flood
	}
}

// buried handles the end of the process.
func (s *service) buried(ws syscall.WaitStatus) {
	lived, now := time.Since(s.since), time.Now()
	quiet := s.quiet(ws, now)
	s.pid, s.since, s.last = 0, now, ws
	s.lives++
	s.step(died, input{now: s.since, unread: s.unread()})
	if next := s.next(); !quiet {
		s.unsaid = func() {
			oom := ws.Signaled() && ws.Signal() == syscall.SIGKILL && s.killedForMemory()
			s.cfg.news(s.name, obituary(ws, oom, lived)+"; "+next)
		}
	}
	s.act(died, s.since)
	s.publish()
}

// publish says how the last process died. That waits until the next one is
// started: it is no reason to start it later.
func (s *service) publish() {
	if say := s.unsaid; say != nil {
		s.unsaid = nil
		say()
	}
}

// killedForMemory says whether the out-of-memory counter rose since we last
// looked.
func (s *service) killedForMemory() bool {
	if s.cfg.OOMKills == nil {
		return false
	}
	n, ok := s.cfg.OOMKills()
	rose := ok && n > s.oomKills
	s.oomKills = n
	return rose
}

// handle obeys one event and does what follows.
func (s *service) handle(ev event, in input) {
	in.now = time.Now()
	s.step(ev, in)
	s.act(ev, in.now)
}

// act does what the last step asks for.
func (s *service) act(ev event, now time.Time) {
	for _, x := range s.signals {
		s.signal(x)
	}
	if s.todo&doImpossible != 0 {
		s.cfg.news(s.name, fmt.Sprintf("got %v while %v: a bug of svinit, without effect", ev, s.state))
	}
	if s.todo&doTellKill != 0 {
		s.cfg.news(s.name, fmt.Sprintf("did not stop in time: killing pid %d", s.pid))
	}
	if s.todo&doHangUp != 0 && s.input != nil {
		s.input.hangUp()
	}
	if s.todo&doArm != 0 {
		s.arm(s.notBefore.Sub(now))
	}
	if s.todo&doNote != 0 {
		s.stale = true
	}
	if s.todo&doLaunch != 0 {
		s.launch() // the outcome is an event of its own
	}
}

// signal sends what the machine decided to send.
func (s *service) signal(x sending) {
	pid := s.pid
	if x.group {
		pid = -pid
	}
	if err := s.cfg.Procs.Signal(pid, x.sig); err != nil && err != syscall.ESRCH {
		s.warn("signal", s.name, err)
	}
}

// arm sets the timer; its event is due.
func (s *service) arm(d time.Duration) {
	if s.wake == nil {
		s.wake = time.NewTimer(d)
	} else {
		s.wake.Reset(d)
	}
}

func (s *service) timer() <-chan time.Time {
	if s.wake == nil {
		return nil
	}
	return s.wake.C
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

// unread is how many bytes a logger's pipe still holds.
func (s *service) unread() int {
	if s.input == nil {
		return 0
	}
	return s.input.unread()
}

// hangUp closes our write end.
func (p *logPipe) hangUp() {
	if p.w >= 0 {
		unix.Close(p.w)
		p.w = -1
	}
}

func (p *logPipe) unread() int {
	n, _ := unix.IoctlGetInt(p.r, unix.TIOCINQ)
	return n
}
