package services

import (
	"sync/atomic"
	"syscall"
	"time"

	"svinit/reaper/proc"
	"svinit/reaper/procattr"
	"svinit/services/epoll"
	"svinit/services/svlog"
)

// Processes starts processes, hears of their end and signals them. The
// reaper is one.
type Processes interface {
	// Start makes a process that executes path; extra may be nil. In attr.Files,
	// ^uintptr(0) is a descriptor that it does not have. executed is called once
	// with what came of the execve(2), or a *procattr.Error; after an error nothing
	// runs. exited is called once, after that, when the process has ended. Neither
	// blocks. An error of Start says that there is no process.
	Start(path string, argv []string, attr *syscall.ProcAttr, extra *procattr.Extra, executed func(error), exited func(syscall.WaitStatus)) (pid int, err error)
	// AwaitExec follows Start and waits for a call of executed, so long at most.
	// It reports whether it has been called.
	AwaitExec(pid int, timeout time.Duration) bool
	// Signal sends a signal to what Start returned, with a negative pid to its
	// process group. For lack of permission the error is EPERM, perhaps wrapped
	// with the remedy.
	Signal(pid int, sig syscall.Signal) error
	// Describe returns the pid and the user of what Start returned: "pid 12, uid 33".
	Describe(pid int) string
	// LeftBy returns what runs on after the end of what Start returned: processes
	// in its session and, unless began is the zero time, others that may be from
	// it.
	LeftBy(session int, began, ended time.Time) []proc.Process
	// Claim notes whose a process is that LeftBy returned, and reports whether that
	// was not known. LeftBy returns it to no others.
	Claim(proc.Process) bool
	// Again returns what a process that LeftBy returned is now, and whether it
	// still runs.
	Again(proc.Process) (proc.Process, bool)
}

// Config is what all services of a Set share.
type Config struct {
	Procs Processes
	// Poll waits for the descriptors of all services; somebody else calls its
	// Wait.
	Poll *epoll.Set
	// Log takes what services without a logger write; nil lets them write to
	// our own standard output and error.
	Log *svlog.Mux
	// Report takes what svinit itself reports about the services.
	Report svlog.Reporter
	// Env is the environment of the services.
	Env []string
	// Stdin is their standard input, open for reading: /dev/null.
	Stdin uintptr
	// StateBases are where state directories go for service directories that
	// cannot be written, the first that can be made ours; see svdir.Bases.
	StateBases []string
	// ControlGroup, unless it is 0, is the group that may read the status of
	// services and command them.
	ControlGroup int
	// OOMKills returns how many processes the kernel has killed for want of
	// memory in our container, and whether that is known. May be nil.
	OOMKills func() (uint64, bool)
	// MaxParallel is how many jobs may use the disk or fork at the same time, 0
	// for 4; see slots. With 1 the scanner shares that slot, so that this package
	// needs one thread for what may take long.
	MaxParallel int
	// First is called once by the Set, before the first service is started. May
	// be nil.
	First func()

	stopping atomic.Bool // Stop was called
}

// warn reports that something could not be done.
func (c *Config) warn(verb, object string, err error) { c.Report(svlog.Unable(verb, object, err)) }

// news reports that something happened to a service.
func (c *Config) news(name, what string) { c.Report(svlog.Event{Service: name, Text: what}) }
