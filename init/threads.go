package pid1

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The Go runtime makes a thread whenever all others wait in system calls, and
// ends the program when that fails: a service that uses up the container's
// pids would take PID 1 with it. So all threads that we can ever need are made
// before the first service (makeThreads); the runtime keeps and uses them
// again. How many that is:
//
//	                      usual  small
//	run Go code             2      1    GOMAXPROCS
//	waits for events        1      1    in the runtime's poller
//	owners                  4      1    services.Config.Abreast
//	the set                 1      -    takes turns with the owners
//	the log                 1      1
//	the main goroutine      1      1    reads /proc when it stops
//	the reaper              1      -    is told by SIGCHLD
//	readproctitle's start   1      -    there is none
//
// and two of the runtime's own, its monitor and the one that others are made
// from.
const (
	threads      = 12
	fewThreads   = 6 // while there are no services
	smallThreads = 5
	ownThreads   = 2
)

// small is how many processes and threads make a container small: in one with
// fewer, ours would be too large a part of them.
const small = 50

// limitProcs sets how many threads run Go code at once, and says whether the
// container is small. Its error says that there is no room for us.
func limitProcs() (bool, error) {
	limit := pidsLimit()
	switch {
	case limit < smallThreads+ownThreads+1:
		return true, fmt.Errorf("unable to run in so small a container: %d threads and one service are the least, and its limit of pids is %d",
			smallThreads+ownThreads, limit)
	case limit < small:
		runtime.GOMAXPROCS(1)
		return true, nil
	case runtime.GOMAXPROCS(0) > 2:
		runtime.GOMAXPROCS(2)
	}
	return false, nil
}

// pidsLimit returns how many processes and threads the container may have:
// pids.max of our cgroup, where a container finds it (cgroup v2 and v1), or,
// for those that it binds, RLIMIT_NPROC.
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

// makeThreads has the Go runtime make that many threads, and its own, now.
func (s *system) makeThreads(n int) {
	if s.small {
		n = min(n, smallThreads)
	}
	want := n + ownThreads
	var mask, none unix.Sigset_t
	if unix.PthreadSigmask(unix.SIG_SETMASK, nil, &mask) == nil && mask != none {
		want++ // package signals keeps one for them, see its unblock
	}
	ready, release := make(chan struct{}), make(chan struct{})
	for {
		// Of those there are, one may sit in the poller and take nothing else.
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
