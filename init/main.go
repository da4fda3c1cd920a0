// Package pid1 is the first process of a container: it is what svinit does
// when it is called by that name. (A package cannot be called init; the
// folder is init because that is what it is.)
//
// Its life has three phases. Boot reads the configuration, takes over the
// descriptors and signals, and starts a handful of goroutines, each with one
// thing to wait for: the reaper for children, the poller for FIFOs and
// inotify, the multiplexer for what services write, the set for the scan
// directory. Run forwards signals, or obeys them. Stop goes through the table
// of phases in phases.go and returns the exit code.
package pid1

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"svinit/init/signals"
	"svinit/reaper"
	"svinit/reaper/proc"
	"svinit/services"
	"svinit/services/epoll"
	"svinit/services/svdir"
	"svinit/services/svlog"
)

// Exit codes: of daemontools for what is wrong with us, of the shell for a
// main program that could not be started.
const (
	exitWrong    = 100
	exitRefused  = 111
	exitNotExec  = 126
	exitNotFound = 127
)

// system is everything that Main has started.
type system struct {
	conf    Config
	signals chan signals.Signal
	procs   *reaper.Reaper
	poll    *epoll.Set    // these three are nil in a plain init
	log     *svlog.Mux    // and in Alone
	set     *services.Set //
	title   title
	small   bool // the container may have few processes and threads: so do we

	reaped  chan struct{}   // closed when no child is left, after Drain
	written <-chan struct{} // closed when the log has been written, after Stop

	inherited []int // descriptors that we were given beyond standard error
	order     order // the last to stop
	main      int   // the main program's pid, 0 without one or when it has ended
	mainEnded chan syscall.WaitStatus
	oomKills  uint64 // before the main program's end
	stopped   chan stop
	tty       int    // our controlling terminal, -1 without one
	apart     bool   // the main program has it, in a session of its own
	asJob     bool   // we have stopped with it
	hush      uint64 // signals (bit N) that are not heard the next time
	alone     *Alone // of Options
}

func newSystem() *system {
	return &system{
		signals:   make(chan signals.Signal),
		reaped:    make(chan struct{}),
		inherited: claimDescriptors(),
		tty:       -1,
		mainEnded: make(chan syscall.WaitStatus, 1),
		stopped:   make(chan stop, maxStops),
	}
}

// Main supervises the services of the scan directory until it is told to stop
// or, with a command, until that main program ends. It returns the exit code
// of the container.
func Main(o Options, stdin, stdout, stderr *os.File) int {
	command := o.Command
	if o.Alone != nil {
		return runAlone(command, o.Alone)
	}
	if len(command) == 0 && beside() {
		refuse(stderr, svlog.Event{Level: svlog.Fatal, Text: "unable to supervise: PID 1 is svinit already; try svinit help"})
		return exitWrong
	}
	caught, err := signals.Listen()
	if err != nil {
		refuse(stderr, svlog.Unable("catch", "signals", err).At(svlog.Fatal))
		return exitRefused
	}
	s := newSystem()
	if code, err := s.boot(o); err != nil {
		refuse(stderr, svlog.Event{Level: svlog.Fatal, Text: err.Error()})
		return code
	}
	s.watchParent()
	code := 0
	if len(command) > 0 {
		var err error
		if code, err = s.startMain(command); err != nil {
			s.report(svlog.Unable("run", command[0], err).At(svlog.Fatal))
			if s.set == nil {
				return code
			}
			s.set.Stop()
		}
	}
	if s.soonDone(caught) {
		s.takeTerminal()
		return s.exitCode(<-s.mainEnded)
	}
	s.begin()
	go s.listen(caught) // what came before has waited
	if code == 0 {
		code = s.run()
	}
	s.stop()
	return code
}

// boot prepares for the main program, and for services where there can be any:
// with a main program and no scan directory svinit is a plain init.
func (s *system) boot(o Options) (code int, err error) {
	if s.conf, err = readConfig(); err != nil {
		return exitWrong, fmt.Errorf("unable to understand %w", err)
	}
	s.conf.add(o)
	gid, err := findGroup(s.conf.ControlGroup)
	if err != nil {
		return exitWrong, fmt.Errorf("unable to understand SVINIT_CONTROL_GROUP=%q: %w", s.conf.ControlGroup, err)
	}
	plain, need := s.conf.ServiceDir == "", withServices
	if plain && len(o.Command) == 0 {
		return exitWrong, errors.New("nothing to do: SVINIT_SERVICE_DIR is empty, and there is no main program")
	}
	if !plain && len(o.Command) > 0 && unix.Access(s.conf.ServiceDir, unix.F_OK) == unix.ENOENT {
		plain = true
		if s.conf.ServiceDir != defaultServiceDir {
			s.report(svlog.Unable("read", s.conf.ServiceDir, errors.New("no such directory, so there are no services")))
		}
	}
	if plain {
		need = forAlone
	}
	if err = s.makeRoom(need); err != nil {
		return exitRefused, err
	}
	if s.procs, err = reaper.New(); err != nil {
		s.report(svlog.Unable("adopt", "orphans", err))
	}
	s.procs.Stopped = s.childStopped
	s.procs.ByBell = s.small
	if plain {
		return 0, nil
	}
	return exitRefused, s.bootServices(gid)
}

// bootServices makes what begin starts for services, which members of the group
// gid may command.
func (s *system) bootServices(gid int) (err error) {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("unable to open /dev/null: %w", err)
	}
	if s.poll, err = epoll.New(); err != nil {
		return fmt.Errorf("unable to wait for commands: %w", err)
	}
	format := svlog.Prefix
	if s.conf.Log == logRaw {
		format = svlog.Raw
	}
	if s.log, err = svlog.New(format, 1, 2); err != nil {
		return fmt.Errorf("unable to carry output: %w", err)
	}
	cfg := &services.Config{
		Procs:        s.procs,
		Poll:         s.poll,
		Log:          s.log,
		Report:       s.report,
		Env:          os.Environ(),
		Stdin:        uintptr(null),
		StateBases:   svdir.Bases(s.conf.StateDir, os.Geteuid()),
		ControlGroup: gid,
		OOMKills:     oomKills,
		First:        func() { s.makeThreads(withServices) },
	}
	s.title.procs = s.procs
	s.log.Errors = s.title.show
	if s.small {
		cfg.Abreast = 1
		s.log.Errors = nil
	}
	if s.conf.Log == logInherit {
		cfg.Log = nil
	}
	s.set = services.NewSet(cfg, s.conf.ServiceDir)
	return nil
}

// moment is how long a main program without services is waited for before
// anything else is made, such as threads: they take longer to make, and to end,
// than a program that does next to nothing takes.
const moment = 2 * time.Millisecond

// soonDone reports whether the main program has ended within a moment, and left
// nothing that is ours to stop.
func (s *system) soonDone(caught *signals.Listener) bool {
	if s.set != nil || s.main == 0 || !caught.Await(moment) {
		return false
	}
	left := s.procs.Glance()
	return len(s.mainEnded) > 0 && (!left || bool(s.conf.LeaveOrphans))
}

// begin starts the goroutines. They are started when the main program has
// been, which would wait for their threads; what comes for them meanwhile is
// kept.
func (s *system) begin() {
	s.letGo()
	s.oomKills, _ = oomKills()
	if s.set == nil {
		s.settle(forAlone)
	} else {
		s.settle(withoutYet)
	}
	go func() {
		s.procs.Run()
		close(s.reaped)
	}()
	if s.set == nil {
		return
	}
	go func() {
		for s.poll.Wait() == nil {
		}
	}()
	go s.log.Run()
	go s.set.Run()
}

// letGo closes and leaves what we were given for the main program. We shall not
// be what keeps its descriptors open and its directory mounted.
func (s *system) letGo() {
	s.eachInherited(func(fd int) { unix.Close(fd) })
	s.inherited = nil
	unix.Chdir("/")
}

// settle prepares for a longer life.
func (s *system) settle(n threads) {
	s.makeThreads(n)
	// Little of what we allocate stays. Collecting when 2 MB have gathered, not
	// Go's 4, is worth its time to a process that lies still.
	debug.SetGCPercent(50)
	time.AfterFunc(restAfter, rest)
}

// beside reports whether we were typed into docker exec where svinit runs
// already, by somebody who wants to see what it is: our parent is outside of
// this PID namespace.
func beside() bool {
	if os.Getppid() != 0 || os.Getpid() == 1 {
		return false
	}
	return proc.Name(1) == "svinit"
}

// report is the svlog.Reporter of this program.
func (s *system) report(e svlog.Event) {
	if s.log == nil {
		reportAlone(e)
		return
	}
	s.log.Report(e)
}

// refuse writes why we exit before anything has been started. Unlike a Reporter
// it waits for the reader: there is nothing else to do.
func refuse(stderr *os.File, e svlog.Event) { stderr.Write(e.AppendLine(nil, svlog.Prog)) }

// reportAlone is the svlog.Reporter of a plain init.
var reportAlone = svlog.Direct(svlog.Prog, 2)

// run obeys signals and returns, with the exit code, when it is time to stop.
func (s *system) run() int {
	for {
		select {
		case sig := <-s.signals:
			if stops(sig.Number) {
				s.again(sig)
			}
			if s.main != 0 {
				s.forward(sig.Number)
			} else if stops(sig.Number) {
				return 0
			} else if sig.Number == syscall.SIGALRM {
				s.set.Rescan()
			}
		case st := <-s.stopped:
			s.mainStopped(st)
		case ws := <-s.mainEnded:
			s.takeTerminal()
			s.main = 0
			if n, ok := oomKills(); ok && n > s.oomKills && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
				s.report(svlog.Event{Text: "the main program died: killed by signal KILL (out of memory)"})
			}
			return s.exitCode(ws)
		}
	}
}

// exitCode is our exit code when the main program has ended.
func (s *system) exitCode(ws syscall.WaitStatus) int {
	code := exitCode(ws)
	if other, ok := s.conf.ExitCodes[code]; ok {
		return other
	}
	return code
}

// exitCode is a process's exit code as a shell has it.
func exitCode(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}
