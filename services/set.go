package services

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/epoll"
	"svinit/services/machine"
)

const (
	// pollEvery is how often the scan directory is read where inotify cannot
	// be had. It is svscan's period.
	pollEvery = 5 * time.Second
	// settleTime is how long an entry may be unfinished before that is worth
	// a line: somebody is making it.
	settleTime = time.Second
	// abreast is how many owners may do something at once, unless Config says
	// so; see aside.
	abreast = 4
)

// Set supervises the services of a scan directory. One goroutine (Run) owns
// it; the methods only ask.
type Set struct {
	cfg *Config
	dir string

	inbox inbox[report] // of the owners; poked for a change and a request
	ask   atomic.Uint32 // requests, a bit each

	watch    *watcher // nil: poll
	ticker   *time.Ticker
	settle   *time.Timer
	slots    chan struct{} // a place for each of Config.Abreast
	entries  map[string]*entry
	byIdent  map[ident]*entry
	unsound  map[string]string // broken entries, and what was said of them
	unopened string            // what was said of the scan directory
	changed  int64             // when it last was, as far as polling has seen
	running  int               // main services whose owner has not ended
	stopping bool
	begun    bool // a service has been

	down chan struct{} // closed when stopping and no main service is left
	done chan struct{} // closed when stopping and nothing is left
}

const (
	reqRescan = 1 << iota
	reqStop
	reqKill
	reqTermLoggers
	reqKillLoggers
)

// NewSet returns a Set for the scan directory dir, an absolute path.
func NewSet(cfg *Config, dir string) *Set {
	return &Set{
		cfg:     cfg,
		dir:     dir,
		inbox:   newInbox[report](),
		slots:   make(chan struct{}, cmp.Or(cfg.Abreast, abreast)),
		entries: make(map[string]*entry),
		byIdent: make(map[ident]*entry),
		unsound: make(map[string]string),
		down:    make(chan struct{}),
		done:    make(chan struct{}),
	}
}

// Rescan reads the scan directory anew, and takes up again what was let go.
func (s *Set) Rescan() { s.request(reqRescan) }

// Stop stops every service by its own rule and starts none; loggers end when
// they have read everything.
func (s *Set) Stop() { s.request(reqStop) }

// Kill kills the services that Stop has not stopped yet.
func (s *Set) Kill() { s.request(reqKill) }

// TermLoggers sends TERM to the loggers that have read everything, or will
// read nothing, and have not ended yet.
func (s *Set) TermLoggers() { s.request(reqTermLoggers) }

// KillLoggers kills the loggers that have not ended yet.
func (s *Set) KillLoggers() { s.request(reqKillLoggers) }

// Down is closed after Stop when all services but loggers have ended.
func (s *Set) Down() <-chan struct{} { return s.down }

// Done is closed after Stop when all have, and Run returns.
func (s *Set) Done() <-chan struct{} { return s.done }

func (s *Set) request(r uint32) {
	s.ask.Or(r)
	s.inbox.poke()
}

// inTurn calls f while, where there is only one slot, no owner has it. Owners
// never wait for the set while they have a slot.
func (s *Set) inTurn(f func()) {
	if cap(s.slots) == 1 {
		s.slots <- struct{}{}
		defer func() { <-s.slots }()
	}
	f()
}

// Run supervises until Stop has done its work.
func (s *Set) Run() {
	s.settle = time.NewTimer(settleTime)
	s.settle.Stop()
	if s.ask.Load()&reqStop == 0 {
		s.inTurn(func() {
			s.openWatch()
			s.scan(true)
		})
	}
	for !s.stopping || len(s.entries) > 0 {
		s.wait()
	}
	s.closeWatch()
	close(s.done)
}

// wait waits for something to happen and does what follows. A panic costs no
// more than that.
func (s *Set) wait() {
	defer func() {
		if p := recover(); p != nil {
			s.cfg.news("scan of "+s.dir, fmt.Sprintf("went wrong: a bug of svinit: %v: %s", p, debug.Stack()))
		}
	}()
	var tick <-chan time.Time
	if s.ticker != nil {
		tick = s.ticker.C
	}
	select {
	case <-s.inbox.wake:
		s.inTurn(s.answer)
	case <-s.settle.C:
		s.inTurn(s.complain)
	case <-tick:
		s.inTurn(func() {
			s.scan(false)
			s.retakeChanged()
		})
	}
}

// answer handles reports, requests and changes.
func (s *Set) answer() {
	for _, r := range s.inbox.take() {
		if r.kind == ownerEnded {
			s.bury(r.owner)
		}
	}
	asked := s.ask.Swap(0)
	if asked&reqStop != 0 && !s.stopping {
		s.stop()
	}
	for _, e := range s.entries {
		if e.main != nil && asked&reqKill != 0 {
			e.main.order(machine.Kill)
		}
		if e.log == nil || e.main != nil {
			continue
		}
		if asked&reqTermLoggers != 0 && e.pipe.unread() == 0 {
			e.log.order(machine.TermLogger)
		}
		if asked&reqKillLoggers != 0 {
			e.log.order(machine.Kill)
		}
	}
	if s.stopping {
		return
	}
	if asked&reqRescan != 0 {
		s.scan(true)
		s.retake()
	}
	if s.watch == nil {
		return
	}
	names, who, all := s.watch.changes()
	for name := range who {
		if name == scanKey {
			all = true
		} else {
			names[name] = struct{}{}
		}
	}
	s.look(names, all)
}

// scanKey is under whose name the scan directory itself is followed. No entry
// can be called so.
const scanKey = "/"

// look looks at the entries of these names, or at all.
func (s *Set) look(names map[string]struct{}, all bool) {
	for name := range names {
		all = all || !s.examine(name, false)
	}
	if all {
		s.scan(false)
	}
	if all || len(names) > 0 {
		s.retake()
	}
}

// scan compares the whole scan directory with what we know, and finds what was
// renamed: a service is its directory, not its name. A scan directory that
// cannot be read changes nothing: it may be about to be replaced.
func (s *Set) scan(now bool) {
	s.watchScan()
	var names []string
	listed := make(map[string]ident)
	for try := 0; ; try++ {
		var err error
		if names, err = readNames(s.dir); err != nil {
			s.unreadable(err)
			return
		}
		clear(listed)
		stale := false
		for _, name := range names {
			path := filepath.Join(s.dir, name)
			id, err := identify(path)
			listed[name] = id
			if err == unix.ENOENT && unix.Lstat(path, new(unix.Stat_t)) == unix.ENOENT {
				stale = true
			}
		}
		// A name that is gone again by the time that it is looked at may have
		// been renamed to one that was not listed.
		if !stale || try == 5 {
			break
		}
	}
	s.unopened = ""
	if s.watch != nil && s.watch.scans < 0 && s.ticker == nil {
		s.watchScan() // it was not there when that was last tried
		s.settle.Reset(settleTime)
	}
	places := make(map[ident]string)
	for name, id := range listed {
		if e := s.entries[name]; id != (ident{}) && !hidden(name) && (e == nil || e.ident != id) {
			places[id] = name
		}
	}
	for name, e := range s.entries {
		if id, ok := listed[name]; e.leaving || ok && id == e.ident {
			continue
		}
		if to, ok := places[e.ident]; ok && s.entries[to] == nil {
			s.rename(e, placeOf(to, filepath.Join(s.dir, to)))
		} else if gone(filepath.Join(s.dir, name), e.ident) {
			s.leave(e)
		}
	}
	for _, name := range names {
		s.examine(name, now)
	}
	for name := range s.unsound {
		if _, ok := listed[name]; !ok {
			s.mended(name)
		}
	}
}

// unreadable notes a scan directory that cannot be read. Where that is for
// want of descriptors, services that have gone free some.
func (s *Set) unreadable(err error) {
	if said := err.Error(); said != s.unopened {
		s.unopened = said
		s.cfg.warn("read", s.dir, err)
	}
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM) {
		for name, e := range s.entries {
			if gone(filepath.Join(s.dir, name), e.ident) {
				s.leave(e)
			}
		}
		s.settle.Reset(settleTime)
	}
}

func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// openWatch begins to watch, or to poll where that cannot be.
func (s *Set) openWatch() {
	w, err := newWatcher()
	if err == nil {
		if err = s.cfg.Poll.Add(w.fd, epoll.Edge, s.inbox.poke); err == nil {
			s.watch = w
			return
		}
		w.close()
	}
	s.pollInstead(err)
}

// watchScan watches the scan directory, and the way to it.
func (s *Set) watchScan() {
	if s.watch == nil {
		return
	}
	s.watch.follow(scanKey, "", 0, s.dir+"/.")
	err := s.watch.scan(s.dir)
	for _, lasting := range []error{unix.ENOSPC, unix.EPERM, unix.ENOSYS} { // of watches, of a filter of system calls
		if errors.Is(err, lasting) {
			s.pollToo(err)
		}
	}
}

// pollToo reads the scan directory now and then, where not everything can be
// watched.
func (s *Set) pollToo(err error) {
	if s.ticker == nil {
		s.pollInstead(err)
	}
}

func (s *Set) pollInstead(err error) {
	s.cfg.warn("watch", s.dir, errors.New(err.Error()+"; reading it every "+pollEvery.String()+" instead"))
	s.ticker = time.NewTicker(pollEvery)
}

func (s *Set) closeWatch() {
	if s.watch != nil {
		s.cfg.Poll.Remove(s.watch.fd)
		// The kernel waits some milliseconds until nobody can be using its
		// watches (synchronize_srcu). Nobody need wait for it.
		go s.watch.close()
		s.watch = nil
	}
}

// stop has every service leave.
func (s *Set) stop() {
	s.stopping = true
	s.closeWatch()
	if s.ticker != nil {
		s.ticker.Stop()
		s.ticker = nil
	}
	s.settle.Stop()
	clear(s.unsound)
	for _, e := range s.entries {
		s.leave(e)
	}
	s.checkDown()
}

// checkDown closes down at the moment when the last main service has ended.
func (s *Set) checkDown() {
	if s.stopping && s.running == 0 {
		s.running = -1 // once
		close(s.down)
	}
}
