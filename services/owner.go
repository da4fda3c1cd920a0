package services

import (
	"fmt"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

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
// wait for anything but the system. Forking and writing files make a stack of
// 8 KB, which a sleeping goroutine keeps; one that ends gives it back, so that
// a service at rest costs 2.
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

// inTurn does something while, with only one turn, no owner does. Owners
// never wait for the set while they have theirs.
func (s *Set) inTurn(f func()) {
	if cap(s.turns) == 1 {
		s.turns <- struct{}{}
		defer func() { <-s.turns }()
	}
	f()
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
