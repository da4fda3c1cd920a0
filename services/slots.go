package services

import (
	"sync/atomic"
	"time"
)

// slots bound how many jobs use the disk or fork at the same time. A call into
// a slow file system holds a thread of the Go runtime, which makes another one
// for the next goroutine, and ends the program where the system allows no more
// threads.
//
// A job that takes longer than lendAfter probably hangs, as on a dead NFS
// server. Its slot is given to others, for a bounded number of such jobs.
type slots struct {
	taken   chan struct{} // holds an element for each job that has a slot
	running []atomic.Pointer[job]
	lent    atomic.Int32 // jobs that hang and whose slot others have
	timer   *time.Timer  // of the look at running jobs; one for all of them
}

const (
	lendAfter = time.Second
	// maxLent is how many threads more than there are slots may hang. Where
	// there is only one slot, threads are few, and it is 1.
	maxLent = 12
)

func newSlots(n int) *slots {
	s := &slots{taken: make(chan struct{}, n)}
	s.running = make([]atomic.Pointer[job], n+s.maxLent())
	s.timer = time.AfterFunc(lendAfter, s.look)
	s.timer.Stop()
	return s
}

func (s *slots) maxLent() int {
	if cap(s.taken) == 1 {
		return 1
	}
	return maxLent
}

// begin notes a job that has a slot.
func (s *slots) begin(j *job) {
	for i := range s.running {
		if s.running[i].CompareAndSwap(nil, j) {
			break
		}
	}
	s.timer.Reset(lendAfter)
}

// end ends the use of a slot.
func (s *slots) end(j *job) {
	for i := range s.running {
		if s.running[i].CompareAndSwap(j, nil) {
			break
		}
	}
	if j.slot.Swap(noSlot) == hasSlot {
		<-s.taken
	} else {
		s.lent.Add(-1)
	}
}

// look gives the slots of jobs that hang to others.
func (s *slots) look() {
	for i := range s.running {
		j := s.running[i].Load()
		if j == nil || j.slot.Load() != hasSlot {
			continue
		}
		if time.Since(j.began) < lendAfter {
			s.timer.Reset(lendAfter)
		} else if s.lent.Add(1) > int32(s.maxLent()) || !j.slot.CompareAndSwap(hasSlot, lentSlot) {
			s.lent.Add(-1)
		} else {
			<-s.taken
			j.hangs()
		}
	}
}

// What a job has.
const (
	hasSlot int32 = iota
	lentSlot
	noSlot
)
