package scan

import (
	"errors"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"svinit/services/spec"
)

// errUnknown is that a file system has not answered yet. It is no reason to
// stop a service, nor to say that an entry cannot be one.
var errUnknown = errors.New("does not answer")

const (
	// patience is how long the Scanner waits for a call before it goes on with
	// the next one. The result is used whenever it comes. On a machine that is
	// overloaded a thread may not run for that long.
	patience = 100 * time.Millisecond
	// maxCalls is how many calls may hang at once, and half of them on one
	// device. Each keeps a thread, so there are fewer where threads are few.
	maxCalls, maxCallsSmall = 4, 2
)

// Keys of calls that are not about one entry, and of what is watched for all.
// No file name contains a slash.
const (
	listKey  = "/list"     // the names in the scan directory
	wayKey   = "/way"      // the path of the scan directory
	freshKey = "/fresh"    // entries that were not watched when they were looked at
	timeKey  = "/time"     // when the scan directory was modified
	overKey  = "/ancestor" // directories above those that entries lead to
)

// call is a call into file systems. It has a goroutine of its own, because a
// call can hang for ever: on a network file system whose server is gone, or on
// one of FUSE whose process does not answer. Nothing but KILL of the whole
// process ends such a call.
type call struct {
	full     map[uint64]bool // devices that it must not enter
	done     chan struct{}   // closed when result is there
	result   any
	panicked any // of the function, to go on in the Scanner's goroutine
	begun    time.Time
	reported bool

	mu   sync.Mutex // guards what follows
	path string     // what it is looking at
	dev  uint64     // on which device that is
}

// enter notes what the call looks at next, and reports whether it may.
func (c *call) enter(path string, dev uint64) bool {
	if c.full[dev] {
		return false
	}
	c.mu.Lock()
	c.path, c.dev = path, dev
	c.mu.Unlock()
	return true
}

func (c *call) where() (path string, dev uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.path, c.dev
}

// ask returns the result of f, which calls into file systems and does nothing
// else, or reports that it is not known yet. In that case the Scanner is woken
// when it is, and the next ask with the same key returns it.
func ask[T any](s *Scanner, key string, f func(*call) T) (result T, known bool) {
	c := s.calls[key]
	if c == nil {
		if c = s.newCall(); c == nil {
			s.refused[key] = struct{}{}
			return result, false
		}
		c.run(func() any { return f(c) })
		s.await(c)
	}
	select {
	case <-c.done:
		delete(s.calls, key)
		c.rethrow()
		return c.result.(T), true
	default:
	}
	if s.calls[key] == nil {
		s.leave(key, c)
	}
	return result, false
}

// run calls f in a goroutine of its own.
func (c *call) run(f func() any) {
	go func() {
		defer close(c.done)
		defer func() { c.panicked = recover() }()
		defer shield()()
		c.result = f()
	}()
}

// rethrow panics, after done, where the function of the call has.
func (c *call) rethrow() {
	if c.panicked != nil {
		panic(c.panicked)
	}
}

// await waits for the end of a call, for as long as patience allows, and reports
// whether it has ended. After Stop it does not wait.
func (s *Scanner) await(c *call) bool {
	s.patience.Reset(patience)
	defer s.patience.Stop()
	select {
	case <-c.done:
		return true
	case <-s.patience.C:
	case <-s.stop:
	}
	return false
}

// leave goes on without the result of a call.
func (s *Scanner) leave(key string, c *call) {
	s.calls[key] = c
	s.recheckLater() // to report it
	go func() {
		<-c.done
		s.finished.Store(true)
		s.wake()
	}()
}

// shield blocks signals in the thread of this goroutine until the function that
// it returns is called. A thread that hangs in a file system handles no signal,
// and the kernel wakes only one of the threads that could handle it: it would
// never reach the signal handler. What an instruction causes is not blocked.
func shield() (end func()) {
	runtime.LockOSThread()
	var old unix.Sigset_t
	unix.PthreadSigmask(unix.SIG_SETMASK, &shielded, &old)
	return func() {
		unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
		runtime.UnlockOSThread()
	}
}

// shielded is the signals that shield blocks.
var shielded = func() (set unix.Sigset_t) {
	const bits = 8 * unsafe.Sizeof(set.Val[0])
	for sig := unix.Signal(1); sig <= 64; sig++ {
		switch sig {
		case unix.SIGILL, unix.SIGTRAP, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV, unix.SIGSYS:
		default:
			set.Val[uintptr(sig-1)/bits] |= 1 << (uintptr(sig-1) % bits)
		}
	}
	return set
}()

// newCall returns a call that may be made now, or nil.
func (s *Scanner) newCall() *call {
	limit := maxCalls
	if s.slots != nil {
		limit = maxCallsSmall
	}
	if len(s.calls) >= limit {
		return nil
	}
	c := &call{done: make(chan struct{}), begun: time.Now(), path: s.dir}
	if len(s.calls) == 0 {
		return c
	}
	count := make(map[uint64]int)
	c.full = make(map[uint64]bool)
	for _, other := range s.calls {
		_, dev := other.where()
		count[dev]++
		c.full[dev] = count[dev] >= limit/2
	}
	return c
}

// finishCalls uses the results that calls have brought late, and makes the calls
// that were refused meanwhile.
func (s *Scanner) finishCalls() {
	if !s.finished.Swap(false) {
		return
	}
	names := s.refused
	s.refused = make(map[string]struct{})
	for key, c := range s.calls {
		select {
		case <-c.done:
			names[key] = struct{}{}
		default:
		}
	}
	all := false
	for key := range names {
		if key[0] == '/' {
			all = true
			delete(names, key)
		}
	}
	s.look(names, all)
}

// reportCalls reports the calls that have hung for a while, each path once.
func (s *Scanner) reportCalls() {
	hanging := make(map[string]bool) // whether it was reported, by path
	for _, c := range s.calls {
		select {
		case <-c.done:
			continue
		default:
		}
		if path, _ := c.where(); time.Since(c.begun) >= recheckAfter || c.reported {
			hanging[path] = hanging[path] || c.reported
			c.reported = true
		} else {
			s.recheckLater()
		}
	}
	for path, reported := range hanging {
		if !reported {
			s.emit(Change{Kind: Hanging, Source: spec.Source{Dir: path}, Err: errHanging})
		}
	}
}

// errHanging is what Hanging says.
var errHanging = errors.New("its file system does not answer; going on without it until it does")
