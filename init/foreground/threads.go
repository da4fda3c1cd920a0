package foreground

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Threads is how many threads are needed at the same time, beside the Go
// runtime's own: in a usual container, and in one with few pids.
//
// The Go runtime makes a thread when all others wait in system calls, and ends
// the program when that fails: a program that uses up the container's pids
// would end PID 1 as well. So all threads that can be needed are made
// beforehand; the runtime keeps and reuses them.
type Threads struct{ Usual, Small int }

// PlainThreads is what a plain init needs:
//
//	                      usual  small
//	run Go code             2      1    GOMAXPROCS
//	wait for events         1      1    in the runtime's poller
//	the main goroutine      1      1    reads /proc at a stop
//	the reaper              1      -    is woken by SIGCHLD instead
var PlainThreads = Threads{Usual: 5, Small: 3}

const (
	// runtimeThreads is how many the runtime has for itself: its monitor, and
	// the one that others are started from.
	runtimeThreads = 2
	// smallLimit is the limit of processes and threads below which a container
	// is small: our usual number would be too large a part of it.
	smallLimit = 50
	// ampleLimit is a limit that no program reaches within the time of
	// ExitedEarly.
	ampleLimit = 4096
)

// reserve finds out how many processes and threads are allowed, and makes ours
// at once where these are few. The error says that there is no room for them.
func (i *Init) reserve(need Threads) error {
	limit := pidsLimit()
	i.small = limit < smallLimit
	if least := need.Small + runtimeThreads; limit <= uint64(least) {
		return fmt.Errorf("unable to run in so small a container: %d threads and one other process are the least, and its limit of pids is %d",
			least, limit)
	}
	if limit < ampleLimit {
		i.MakeThreads(need)
	}
	return nil
}

// pidsLimit returns how many processes and threads the container may have:
// pids.max of our cgroup, at the path where a container finds its own (cgroup
// v2 and v1), or RLIMIT_NPROC, which does not bind root.
func pidsLimit() uint64 {
	limit := ^uint64(0)
	for _, path := range []string{
		"/sys/fs/cgroup/pids.max",
		"/sys/fs/cgroup/pids/pids.max",
	} {
		if b, err := os.ReadFile(path); err == nil {
			if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil { // else "max"
				limit = n
			}
			break
		}
	}
	var rlimit unix.Rlimit
	if os.Getuid() != 0 && unix.Getrlimit(unix.RLIMIT_NPROC, &rlimit) == nil {
		limit = min(limit, rlimit.Cur)
	}
	return limit
}

// MakeThreads makes the Go runtime start threads now until it has as many as
// are needed, and sets GOMAXPROCS.
func (i *Init) MakeThreads(need Threads) {
	want, procs := need.Usual+runtimeThreads, 2
	if i.small {
		want, procs = need.Small+runtimeThreads, 1
	}
	if runtime.GOMAXPROCS(0) > procs {
		runtime.GOMAXPROCS(procs)
	}
	var mask, none unix.Sigset_t
	if unix.PthreadSigmask(unix.SIG_SETMASK, nil, &mask) == nil && mask != none {
		want++ // package signals keeps one for them, see its unblock
	}
	ready, release := make(chan struct{}), make(chan struct{})
	for {
		// One of the threads that exist may be in the poller and run nothing
		// else, so threads are counted, not goroutines.
		if made, _ := runtime.ThreadCreateProfile(nil); made >= want {
			break
		}
		go func() {
			// A goroutine that is locked to its thread keeps it while it waits,
			// so the next one needs another.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready <- struct{}{}
			<-release
		}()
		<-ready
	}
	close(release)
}
