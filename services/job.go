package services

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"svinit/services/machine"
)

// job is work for a service that uses the disk or forks, and may hang. It is
// done by a goroutine of its own, which has one of the slots and ends with it,
// so that the owner goes on obeying meanwhile: it can be told to stop, and hears
// of exits, whatever a file system does.
type job struct {
	began time.Time
	hangs func() // wakes the owner when the slot was given to others
	slot  atomic.Int32
	state atomic.Int32
}

// The states of a job.
const (
	jobWanted    int32 = iota
	jobCancelled       // its result is not wanted: a process that it has not made is not made
	jobAbandoned       // its owner has gone: a process that it has made is killed
)

// jobResult applies the result of a job. It is a message to the owner.
type jobResult func()

// startJob runs work, which returns what is to be done with its result by the
// owner. The owner has taken a slot for it.
func (o *owner) startJob(work func(*job) jobResult) *job {
	j := &job{began: time.Now(), hangs: o.inbox.poke}
	o.slots.begin(j)
	go func() {
		defer o.slots.end(j)
		defer func() {
			if p := recover(); p != nil {
				text := fmt.Sprintf("%v: %s", p, debug.Stack())
				o.inbox.send(jobResult(func() { o.panicked(text) }))
			}
		}()
		o.inbox.send(work(j))
	}()
	return j
}

// panicked ends the supervision of this service and nothing else.
func (o *owner) panicked(text string) {
	o.State = machine.StateReleased
	o.diskJob, o.launchJob = nil, nil
	o.news("is no longer supervised: a bug of svinit: " + text)
}

// aside calls f in a goroutine of its own and waits for it. Formatting a line
// and the like grow the stack to 8 KB, which a goroutine keeps while it sleeps
// and gives back when it ends. With 100 services PID 1 took 3.8 MB with this and
// 4.5 MB without it, where each handled its events by itself (Go 1.26). While
// nothing happens no collection takes place that would shrink the stacks.
//
// A panic in f ends the supervision of this service and nothing else.
func (o *owner) aside(f func(*owner)) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				o.panicked(fmt.Sprintf("%v: %s", p, debug.Stack()))
			}
			o.asideDone <- struct{}{}
		}()
		f(o)
	}()
	<-o.asideDone
}
