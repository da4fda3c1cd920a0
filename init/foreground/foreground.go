package foreground

import (
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"svinit/init/signals"
	"svinit/reaper"
	"svinit/services/program"
	"svinit/services/svlog"
)

// Init is a plain init: the process in front of one main program. It is used
// in this order, and there can be one in a process:
//
//	New          catches signals and claims the inherited descriptors
//	Prepare      makes the reaper, and threads where pids are few
//	Start        starts the main program
//	ExitedEarly  may report that all is over already
//	Begin        starts the goroutines, where it is not
//	Wait         forwards signals until the main program ends
//
// Run does all of that. A supervisor starts its services in between.
type Init struct {
	// Reaper starts, reaps and signals the children of this process. Prepare
	// makes it.
	Reaper *reaper.Reaper

	options     Options
	small       bool // few processes and threads are allowed: use as few as possible
	caught      *signals.Listener
	unstoppable bool // a signal of Options.Unstoppable could not be sent
	arrived     chan signals.Signal
	inherited   descriptors
	terminal    terminal
	job         job
}

// Run runs a main program as its init and returns the exit code: that of the
// main program, or the one that a shell has for a program that cannot be
// executed, 126 or 127. Then the error has the errno of execvp(3) in it; any
// other error says that the main program could not be attended to, and has not
// been started.
func Run(o Options) (code int, err error) {
	i, err := New()
	if err != nil {
		return 0, err
	}
	if err := i.Prepare(o, PlainThreads); err != nil {
		return 0, err
	}
	if code, err := i.Start(); err != nil {
		return code, err
	}
	if exited, _ := i.ExitedEarly(); !exited {
		i.Begin(PlainThreads)
	}
	return i.Wait(), nil
}

// New catches all signals from now on, keeps them for Wait, and makes the
// inherited descriptors close-on-exec for everything but the main program.
// Errors: those of signals.Listen.
func New() (*Init, error) {
	caught, err := signals.Listen()
	if err != nil {
		return nil, err
	}
	return &Init{
		caught:    caught,
		arrived:   make(chan signals.Signal),
		inherited: claimDescriptors(),
		terminal:  noTerminal,
		job: job{
			executed: make(chan error, 1),
			ended:    make(chan syscall.WaitStatus, 1),
			stops:    make(chan stop, maxStops),
		},
	}, nil
}

// Prepare takes the options and makes the Reaper. Where the container may have
// few processes and threads, it makes the threads that are needed now. The
// error says that there is no room for them, or is that of prctl(2) for
// Options.Pdeathsig.
func (i *Init) Prepare(o Options, need Threads) (err error) {
	i.options = o
	if err := i.reserve(need); err != nil {
		return err
	}
	if o.Pdeathsig != 0 {
		if err := setPdeathsig(o.Pdeathsig); err != nil {
			return err
		}
	}
	if i.Reaper, err = reaper.New(); err != nil { // the main program runs without orphans too
		i.options.report(svlog.Unable("adopt", "orphans", err))
	}
	i.Reaper.WaitForWake = i.small
	i.Reaper.Stopped = i.childStopped
	i.Reaper.Orphan = func(pid int, ws syscall.WaitStatus) { i.emit(Event{Kind: Reaped, PID: pid, Status: ws}) }
	return nil
}

// quickExitWindow is how long the exit of the main program is awaited before
// anything else is made, such as threads: to make and end them takes longer
// than a program runs that does next to nothing.
const quickExitWindow = 2 * time.Millisecond

// ExitedEarly waits for a short time and reports whether the main program has
// ended, and whether children are left. It starts no thread. When the main
// program has ended, Wait may follow without Begin.
func (i *Init) ExitedEarly() (exited, childrenLeft bool) {
	if i.job.pid == 0 || !i.caught.Await(quickExitWindow) {
		return false, true
	}
	childrenLeft = i.Reaper.ReapNow()
	return len(i.job.ended) > 0, childrenLeft
}

// Begin starts the goroutines, for a longer life: the reaper, those of the
// caller, and the one that takes signals. It comes after Start because making
// their threads delays the main program; children that end and signals that
// arrive meanwhile are kept.
func (i *Init) Begin(need Threads, others ...func()) {
	i.release()
	i.MakeThreads(need)
	// Little of what is allocated stays in use. Collecting at 3 MB of garbage
	// instead of Go's 4 costs a process that is nearly always idle nothing. At 2
	// MB the start of 100 services would begin a collection, which needs 0.5 MB
	// itself.
	debug.SetGCPercent(75)
	time.AfterFunc(restAfter, rest)
	go i.Reaper.Run()
	for _, other := range others {
		go other()
	}
	// Of new goroutines the Go runtime runs the last one next, on this thread.
	// This one soon waits in the runtime's poller. Any other would keep the rest
	// waiting while it is in a system call, for up to 10 ms.
	go i.listen()
}

// release closes the inherited descriptors and leaves the working directory, so
// that we do not keep the main program's files open and a directory mounted.
func (i *Init) release() {
	i.inherited.each(func(fd int) { unix.Close(fd) })
	i.inherited = nil
	unix.Chdir("/")
}

// Small reports whether the container may have only few processes and threads.
func (i *Init) Small() bool { return i.small }

// Signals is where signals arrive once Wait has returned. They are no longer
// forwarded.
func (i *Init) Signals() <-chan signals.Signal { return i.arrived }

// Wait forwards signals until the main program ends and returns our exit code
// for it. Without a main program it returns 0 at one of Options.StopSignals.
func (i *Init) Wait() (code int) {
	for {
		select {
		case sig := <-i.arrived:
			i.emit(Event{Kind: Received, Signal: sig.Number, PID: sig.PID, Kernel: sig.Code == signals.Kernel})
			if i.job.pid != 0 {
				i.forward(sig.Number)
				if i.unstoppable {
					return program.ExitCode(syscall.WaitStatus(syscall.SIGKILL))
				}
			} else if slices.Contains(i.options.StopSignals, i.options.Signals.Translate(sig.Number)) {
				return 0
			}
		case st := <-i.job.stops:
			if len(i.job.ended) == 0 { // else nothing is left to be continued
				i.childHasStopped(st)
			}
		case err := <-i.job.executed:
			if err != nil {
				i.options.report(svlog.Unable("run", i.options.Command[0], err).At(svlog.Fatal))
				i.takeTerminal()
				return program.ExitNotExecutable
			}
		case ws := <-i.job.ended:
			return i.end(ws)
		}
	}
}

// end does what is left to do when the main program has ended, and returns our
// exit code.
func (i *Init) end(ws syscall.WaitStatus) (code int) {
	i.emit(Event{Kind: Ended, PID: i.job.pid, Status: ws})
	i.takeTerminal()
	if last := i.options.LastSignal; last != 0 && i.options.Group {
		last = i.options.Signals.Translate(last)
		if syscall.Kill(-i.job.pid, last) == nil {
			i.emit(Event{Kind: Forwarded, Signal: last})
		}
	}
	code = program.ExitCode(ws)
	if other, ok := i.options.ExitCodes[code]; ok {
		return other
	}
	return code
}
