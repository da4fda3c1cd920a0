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
// again. Where pids are few they are made before the main program too. How many
// that is:
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
var (
	withServices = threads{usual: 12, small: 5}
	withoutYet   = threads{usual: 6, small: 5} // before the first service
	forAlone     = threads{usual: 5, small: 3} // a plain init: no owners, no set, no log
)

const ownThreads = 2

// threads is how many threads are needed, and in a small container.
type threads struct{ usual, small int }

const (
	// small is how many processes and threads make a container small: in one
	// with fewer, ours would be too large a part of them.
	small = 50
	// plenty is how many no program uses up within a moment.
	plenty = 4096
)

// makeRoom finds out how many processes and threads there may be, and makes
// ours at once where these are few. Its error says that there is no room for us.
func (s *system) makeRoom(n threads) error {
	limit := pidsLimit()
	s.small = limit < small
	if least := n.small + ownThreads; limit <= uint64(least) {
		return fmt.Errorf("unable to run in so small a container: %d threads and one other process are the least, and its limit of pids is %d",
			least, limit)
	}
	if limit < plenty {
		s.makeThreads(n)
	}
	return nil
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

// makeThreads has the Go runtime make these threads, and its own, now, and sets
// how many run Go code at once.
func (s *system) makeThreads(n threads) {
	want, procs := n.usual+ownThreads, 2
	if s.small {
		want, procs = n.small+ownThreads, 1
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
