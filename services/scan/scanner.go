package scan

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"svinit/services/epoll"
	"svinit/services/spec"
)

const (
	// pollEvery is how often the scan directory is listed where it cannot be
	// watched. It is the period of daemontools' svscan.
	pollEvery = 5 * time.Second
	// recheckAfter is how long an entry may be invalid before it is reported:
	// somebody may be making it just now. It is also how long the Scanner waits
	// before it tries again what failed.
	recheckAfter = time.Second
)

// Scanner compares a scan directory with what it has reported of it. One
// goroutine (Run) owns it. Rescan and Stop may be called by any goroutine,
// Report by the one that receives the Changes.
type Scanner struct {
	dir   string
	poll  *epoll.Set
	slots chan struct{} // one is held for each call into a file system; may be nil

	send    func(Change)
	changes chan Change
	wakeup  chan struct{}
	rescan  atomic.Bool
	reports chan []report // at most one slice, of what has not been handled yet
	stop    chan struct{}
	ended   chan struct{} // closed at the end of Run

	watch           *watches          // nil: list every 5 seconds
	unwatch         func()            // ends watch
	pollAll         bool              // list every 5 seconds
	silent          map[string]string // entries that are looked at every 5 seconds, and what is not watched
	silenceReported bool
	ticker          *time.Ticker // nil: nothing is polled
	recheck         *time.Timer

	recheckNeeded bool                     // everything is to be looked at when recheck fires, not only what is in fresh
	fresh         map[string]spec.Identity // entries that were looked at before they were watched, and what was seen
	calls         map[string]*call         // that have not brought their result yet
	refused       map[string]struct{}      // keys of calls that were not made, because others hang
	finished      atomic.Bool              // a call has brought its result late
	patience      *time.Timer              // of a call

	entries    map[string]*entry // by name
	byID       map[spec.Identity]*entry
	invalid    map[string]string // entries that cannot be services, and the reason that was reported
	unreadable string            // the reported reason why the scan directory cannot be listed
	modified   int64             // when the scan directory was, as far as polling has seen
}

// New returns a Scanner for the scan directory dir, an absolute path. poll
// wakes it, whose Wait another goroutine calls. If slots is not nil, the Scanner
// holds a place in it while it calls into a file system, and none while it
// waits for a Change to be received.
func New(dir string, poll *epoll.Set, slots chan struct{}) *Scanner {
	s := &Scanner{
		dir:      dir,
		poll:     poll,
		slots:    slots,
		changes:  make(chan Change),
		wakeup:   make(chan struct{}, 1),
		reports:  make(chan []report, 1),
		stop:     make(chan struct{}),
		ended:    make(chan struct{}),
		recheck:  time.NewTimer(recheckAfter),
		patience: time.NewTimer(patience),
		fresh:    make(map[string]spec.Identity),
		calls:    make(map[string]*call),
		refused:  make(map[string]struct{}),
		silent:   make(map[string]string),
		entries:  make(map[string]*entry),
		byID:     make(map[spec.Identity]*entry),
		invalid:  make(map[string]string),
	}
	s.recheck.Stop()
	s.patience.Stop()
	s.send = s.sendChange
	return s
}

// Changes is where the Scanner reports. It waits there until each Change is
// received.
func (s *Scanner) Changes() <-chan Change { return s.changes }

// Rescan compares the scan directory anew, and has what was released started
// again.
func (s *Scanner) Rescan() {
	s.rescan.Store(true)
	s.wake()
}

// Stop ends Run, as soon as the file system lets it, and is called once. No
// Change follows but one that is being received.
func (s *Scanner) Stop() { close(s.stop) }

// Ended is closed when Run has given back what it holds. Until then the process
// takes longer to exit.
func (s *Scanner) Ended() <-chan struct{} { return s.ended }

// Report tells the Scanner something of the service id. It does not block.
func (s *Scanner) Report(id spec.Identity, fact Fact) {
	var pending []report
	select {
	case pending = <-s.reports:
	default:
	}
	s.reports <- append(pending, report{id, fact}) // has room: nobody else sends
	s.wake()
}

// wake has Run look at what was asked, reported and watched. It does not block.
func (s *Scanner) wake() {
	select {
	case s.wakeup <- struct{}{}:
	default:
	}
}

// Run scans until Stop.
func (s *Scanner) Run() {
	s.guard(func() {
		s.openWatch()
		s.scan(true)
	})
	for s.wait() {
	}
	s.close()
}

// wait waits for something to happen and does what follows. It reports whether
// Run is to go on.
func (s *Scanner) wait() bool {
	var tick <-chan time.Time
	if s.ticker != nil {
		tick = s.ticker.C
	}
	select {
	case <-s.stop:
		return false
	case <-s.wakeup:
		s.guard(s.answer)
	case <-s.recheck.C:
		s.guard(s.recheckAll)
	case <-tick:
		s.guard(s.pollScan)
	}
	return true
}

// guard calls f with a slot. A panic in f costs no more than what f had to do.
func (s *Scanner) guard(f func()) {
	s.takeSlot()
	defer s.giveSlot()
	defer func() {
		if p := recover(); p != nil {
			s.emit(Change{Kind: Panicked, Source: spec.Source{Dir: s.dir}, Err: fmt.Errorf("%v: %s", p, debug.Stack())})
		}
	}()
	f()
}

// emit reports a change.
func (s *Scanner) emit(c Change) {
	s.giveSlot() // the receiver may need one before it receives
	s.send(c)
	s.takeSlot()
}

func (s *Scanner) sendChange(c Change) {
	select {
	case s.changes <- c:
	case <-s.stop:
	}
}

func (s *Scanner) takeSlot() {
	if s.slots != nil {
		s.slots <- struct{}{}
	}
}

func (s *Scanner) giveSlot() {
	if s.slots != nil {
		<-s.slots
	}
}

// answer handles what woke the Scanner.
func (s *Scanner) answer() {
	select {
	case pending := <-s.reports:
		for _, r := range pending {
			s.handle(r)
		}
	default:
	}
	if s.rescan.Swap(false) {
		s.scan(true)
		s.acquire()
	}
	s.finishCalls()
	if s.watch != nil {
		h := s.watch.take()
		s.look(h.names, h.all)
		if h.all || len(h.names) > 0 {
			s.acquire()
		}
	}
}

// look looks at the entries of these names, or at all.
func (s *Scanner) look(names map[string]struct{}, all bool) {
	for name := range names {
		all = all || !s.examine(name, false)
	}
	if all {
		s.scan(false)
	}
}

// recheckAll tries again what failed, and reports what is still invalid or
// hangs. Where nothing failed it only looks once more at what was looked at
// before it was watched.
func (s *Scanner) recheckAll() {
	fresh := s.fresh
	s.fresh = make(map[string]spec.Identity)
	if s.recheckNeeded {
		s.recheckNeeded = false
		s.scan(false)
		for _, name := range sortedKeys(s.invalid) {
			s.examine(name, true)
		}
		s.reportCalls()
		return
	}
	// There can be many, so this allocates little: the heap would stay grown.
	changed, _ := ask(s, freshKey, func(c *call) map[string]struct{} {
		names := make(map[string]struct{})
		for name, before := range fresh {
			path := s.dir + "/" + name
			if _, dev, err := lstat(path); err == nil && !c.enter(path, dev) {
				continue
			}
			if id, _, _, _ := identify(path); id != before {
				names[name] = struct{}{}
			}
		}
		return names
	})
	s.look(changed, false)
}

// close gives back what the Scanner holds.
func (s *Scanner) close() {
	defer close(s.ended)
	s.recheck.Stop()
	if s.ticker != nil {
		s.ticker.Stop()
	}
	if s.watch != nil {
		s.unwatch()
	}
}
