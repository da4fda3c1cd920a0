package scan

import (
	"errors"
	"time"

	"svinit/services/epoll"
	"svinit/services/spec"
)

// openWatch begins to watch, or to poll where watching fails.
func (s *Scanner) openWatch() {
	w, err := newInotify()
	if err == nil {
		if err = s.poll.Add(w.fd, epoll.Edge, s.wake); err == nil {
			s.watch = newWatches(w)
			s.watch.add = s.addWatch
			s.unwatch = func() { s.poll.Remove(w.fd); w.close() }
			return
		}
		w.close()
	}
	s.startPolling(err)
}

// addWatch is watcher.add, which calls into the file system of the directory.
func (s *Scanner) addWatch(dir string, what mask) (int32, error) {
	type added struct {
		id  int32
		err error
	}
	if !s.mayHang(dir) {
		return s.watch.watcher.add(dir, what)
	}
	a, known := ask(s, "/watch"+dir, func(c *call) added {
		if _, _, err := walk(c, "", dir); err == errUnknown {
			return added{-1, err}
		}
		id, err := s.watch.watcher.add(dir, what)
		return added{id, err}
	})
	if !known {
		return -1, errUnknown
	}
	return a.id, a.err
}

// watchScan watches the scan directory, and the path that leads to it.
func (s *Scanner) watchScan() {
	if s.watch == nil {
		return
	}
	lookups, known := ask(s, wayKey, func(c *call) []lookup {
		lookups, _, _ := walk(c, "", s.dir)
		return lookups
	})
	if !known {
		return
	}
	s.watch.follow(wayKey, "", 0, lookups)
	if err := s.watch.watchScan(s.dir); lasting(err) {
		s.startPolling(err)
	}
}

// follow watches everything on which lookups depend, which were found when an
// entry was looked at.
func (s *Scanner) follow(name string, x *sight, what mask, lookups ...[]lookup) {
	s.setSilent(name, x.silent)
	if s.watch == nil {
		return
	}
	fresh, err := s.watch.follow(name, s.dir, what, lookups...)
	if err != nil {
		s.startPolling(err)
	}
	if fresh {
		// It may have changed between that look and now.
		s.fresh[name] = x.id
		if !s.recheckNeeded {
			s.recheck.Reset(recheckAfter)
		}
	}
}

// forget stops watching for the entry of this name.
func (s *Scanner) forget(name string) {
	s.setSilent(name, silence{})
	if s.watch != nil {
		s.watch.forget(name)
	}
}

// startPolling lists the scan directory every 5 seconds from now on, beside
// watching what can be watched.
func (s *Scanner) startPolling(err error) {
	if s.pollAll {
		return
	}
	s.pollAll = true
	s.setTicker()
	s.emit(Change{Kind: Unwatched, Source: spec.Source{Dir: s.dir}, Err: errors.New(err.Error() + "; reading it every " + pollEvery.String() + " instead")})
}

// setSilent notes whether an entry, or the scan directory with listKey, depends
// on a file system that does not report changes. Such an entry is looked at
// every 5 seconds.
func (s *Scanner) setSilent(name string, x silence) {
	if _, known := s.silent[name]; known == (x.kind != "") {
		return
	}
	if x.kind == "" {
		delete(s.silent, name)
		s.setTicker()
		return
	}
	s.silent[name] = x.dir
	s.setTicker()
	if !s.pollAll && !s.silenceReported {
		s.silenceReported = true
		s.emit(Change{Kind: Unwatched, Source: spec.Source{Dir: x.dir}, Err: errors.New("no changes are reported on " + x.kind + "; reading it every " + pollEvery.String() + " instead")})
	}
}

// setTicker starts or stops the ticker, as it is needed.
func (s *Scanner) setTicker() {
	switch need := s.pollAll || len(s.silent) > 0; {
	case need && s.ticker == nil:
		s.ticker = time.NewTicker(pollEvery)
	case !need && s.ticker != nil:
		s.ticker.Stop()
		s.ticker = nil
	}
}

// mayHang reports whether a directory is known to be on a file system that can
// hang.
func (s *Scanner) mayHang(dir string) bool {
	for _, d := range s.silent {
		if d == dir {
			return true
		}
	}
	return false
}

// pollScan looks at what may have changed without an event. Where the scan
// directory itself has changed, what was released is started again.
func (s *Scanner) pollScan() {
	if _, silent := s.silent[listKey]; !s.pollAll && !silent {
		names := make(map[string]struct{}, len(s.silent))
		for name := range s.silent {
			names[name] = struct{}{}
		}
		s.look(names, false)
		return
	}
	s.scan(false)
	modified := s.modifiedAt()
	if before := s.modified; modified != 0 && before != modified {
		if s.modified = modified; before != 0 {
			s.acquire()
		}
	}
}
