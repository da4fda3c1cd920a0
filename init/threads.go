package pid1

import (
	"runtime"
	"sync"
)

// threads is what we can have waiting in system calls at once: four owners,
// the set, the log, the title, the reaper and the signals, and two that run.
const threads = 11

// fewThreads is as many while there are no services: the reaper, and two that
// run.
const fewThreads = 3

// makeThreads has the Go runtime make that many threads now; it keeps and uses them
// again. It makes one whenever all others wait in system calls, and ends the
// program when that fails: a service that uses up the container's pids would
// take PID 1 with it.
func makeThreads(threads int) {
	var ready sync.WaitGroup
	release := make(chan struct{})
	for range threads {
		ready.Add(1)
		go func() {
			// A goroutine that is locked to its thread keeps it while it waits,
			// so the next one needs another.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			<-release
		}()
	}
	ready.Wait()
	close(release)
}
