package pid1

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/init/signals"
	"svinit/reaper"
)

// Options is what Main is to do. The zero value is services and nothing else.
type Options struct {
	Command []string // the main program, if there is one
	Alone   *Alone   // nil for svinit itself, for which alone the others are

	// As the variables SVINIT_ of these names, which they add to.
	LeaveOrphans bool
	Group        bool
	ParentDeath  syscall.Signal
	Signals      map[syscall.Signal]syscall.Signal
	ExitCodes    map[int]int
}

// DieWith takes a value as that of SVINIT_PARENT_DEATH.
func (o *Options) DieWith(s string) error { return (*signal)(&o.ParentDeath).Decode(s) }

// Translate takes a value as that of SVINIT_SIGNALS, and adds it.
func (o *Options) Translate(s string) error { return (*signalMap)(&o.Signals).Decode(s) }

// Exchange takes a value as that of SVINIT_EXIT_CODES, and adds it.
func (o *Options) Exchange(s string) error { return (*codeMap)(&o.ExitCodes).Decode(s) }

// Alone is how other inits have their one program: no services, no variables
// SVINIT_*, and no stop in order. When the program ends we do, and leave what
// is left of it to who is above us, as PID 1 to the kernel. Without a Command
// orphans are reaped until TERM or INT comes (exit code 0).
type Alone struct {
	Group   bool // signals go to the process group of the program
	Session bool // it has a session of its own, as with SVINIT_SETSID
	Within  bool // it stays in our process group, and the terminal as it is
	Signals map[syscall.Signal]syscall.Signal

	// StopToo: at TSTP, TTIN and TTOU, once passed on, we stop as well, until
	// CONT. The kernel does not let PID 1 do that.
	StopToo bool
	// Last, if any, goes to the process group when the program has ended.
	Last syscall.Signal
	// ParentDeath, if any, comes to us when our parent ends (prctl(2)).
	ParentDeath syscall.Signal

	// ExitCodes has our exit codes for those of the program that differ.
	ExitCodes map[int]int
	// Failed says that the program could not be started, and returns our exit
	// code. The error has the errno of execvp(3) in it.
	Failed func(err error) int
	// Tell is told what happens, from more than one goroutine.
	Tell func(Event)
}

// Event is something that has happened. Which of the fields are set depends on
// its Kind.
type Event struct {
	Kind   EventKind
	PID    int
	Signal syscall.Signal
	Status syscall.WaitStatus
	Err    error
}

// EventKind says what has happened.
type EventKind int

// The kinds of events, with the fields that they have.
const (
	Started   EventKind = iota // the program: PID
	Received                   // a signal, not SIGCHLD: Signal
	Passed                     // the program was sent a signal: Signal
	NotPassed                  // it could not be sent one: Signal, Err
	Reaped                     // an orphan: PID, Status
	Ended                      // the program: PID, Status
)

// runAlone is Main for another init.
func runAlone(command []string, a *Alone) int {
	caught, err := signals.Listen()
	if err != nil {
		return a.Failed(err)
	}
	s := newSystem()
	s.alone = a
	if err := s.makeRoom(forAlone); err != nil {
		return a.Failed(err)
	}
	s.conf = Config{Group: yesNo(a.Group), Setsid: yesNo(a.Session), Signals: a.Signals, ExitCodes: a.ExitCodes, LeaveOrphans: true}
	if a.ParentDeath != 0 {
		// For this thread, which lasts as long as we do: the runtime ends none.
		if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(a.ParentDeath), 0, 0, 0); err != nil {
			return a.Failed(err)
		}
		if os.Getppid() != parent { // it was quicker
			syscall.Kill(os.Getpid(), a.ParentDeath)
		}
	}
	s.procs, _ = reaper.New() // without orphans the program runs all the same
	s.procs.Orphan = func(pid int, ws syscall.WaitStatus) { a.Tell(Event{Kind: Reaped, PID: pid, Status: ws}) }
	s.procs.Stopped = s.childStopped
	s.procs.ByBell = s.small
	if len(command) > 0 {
		if _, err := s.startMain(command); err != nil {
			return a.Failed(err)
		}
		a.Tell(Event{Kind: Started, PID: s.main})
	}
	if !s.soonDone(caught) {
		s.settle(forAlone)
		go s.procs.Run()
		go s.listen(caught)
	}
	s.letGo()
	return s.obey(a)
}

// obey passes signals on until the program ends.
func (s *system) obey(a *Alone) int {
	for {
		select {
		case came := <-s.signals:
			sig := came.Number
			a.Tell(Event{Kind: Received, Signal: sig})
			if s.main == 0 {
				if sig == syscall.SIGTERM || sig == syscall.SIGINT {
					return 0
				}
				continue
			}
			switch to, err := s.pass(sig); {
			case err != nil:
				a.Tell(Event{Kind: NotPassed, Signal: to, Err: err})
			case to != 0:
				a.Tell(Event{Kind: Passed, Signal: to})
			}
			if a.StopToo && (sig == syscall.SIGTSTP || sig == syscall.SIGTTIN || sig == syscall.SIGTTOU) {
				stopSelf()
			}
		case st := <-s.stopped:
			s.mainStopped(st)
		case ws := <-s.mainEnded:
			a.Tell(Event{Kind: Ended, PID: s.main, Status: ws})
			s.takeTerminal()
			if a.Last != 0 && a.Group {
				last := a.Last
				if to, ok := a.Signals[last]; ok {
					last = to
				}
				if syscall.Kill(-s.main, last) == nil {
					a.Tell(Event{Kind: Passed, Signal: last})
				}
			}
			return s.exitCode(ws)
		}
	}
}
