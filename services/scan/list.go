package scan

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/epoll"
	"svinit/services/spec"
)

// wayKey is the entry under which the watcher follows the path of the scan
// directory. No file name contains a slash.
const wayKey = "/"

// scan compares the whole scan directory with what is known, and finds what was
// renamed. A scan directory that cannot be listed changes nothing: it may be
// about to be replaced. With now, an invalid entry is reported at once.
func (s *Scanner) scan(now bool) {
	s.watchScan()
	names, listed, err := s.list()
	if err != nil {
		s.reportUnreadable(err)
		return
	}
	s.unreadable = ""
	if len(s.entries) == 0 { // the first time, as a rule
		s.entries = make(map[string]*entry, len(names))
		s.byID = make(map[spec.Identity]*entry, len(names))
	}
	if s.watch != nil && s.watch.scanWD < 0 && s.ticker == nil {
		s.watchScan() // the directory did not exist when this was last tried
		s.recheckLater()
	}
	s.compare(listed)
	for _, name := range names {
		s.examine(name, now)
	}
	for name := range s.invalid {
		if _, ok := listed[name]; !ok {
			s.clearInvalid(name)
		}
	}
}

// list returns the names in the scan directory, and to which directory each
// leads, the zero Identity for those that lead to none. A name that no longer
// exists when it is looked at may have been renamed to one that was not listed,
// so the directory is then listed again.
func (s *Scanner) list() (names []string, listed map[string]spec.Identity, err error) {
	for try := 0; ; try++ {
		if names, err = readNames(s.dir); err != nil {
			return nil, nil, err
		}
		listed = make(map[string]spec.Identity, len(names))
		stale := false
		for _, name := range names {
			path := filepath.Join(s.dir, name)
			id, err := identify(path)
			listed[name] = id
			if err == unix.ENOENT && unix.Lstat(path, new(unix.Stat_t)) == unix.ENOENT {
				stale = true
			}
		}
		if !stale || try == 5 {
			return names, listed, nil
		}
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

// compare finds the entries that were renamed or removed.
func (s *Scanner) compare(listed map[string]spec.Identity) {
	var left []*entry // entries that have left their name
	for name, e := range s.entries {
		if id, ok := listed[name]; !e.leaving && (!ok || id != e.id) {
			left = append(left, e)
		}
	}
	if left == nil {
		return
	}
	renamed := s.renamed(left, listed)
	for _, e := range left {
		if renamed[e] == "" && gone(filepath.Join(s.dir, e.name), e.id) {
			s.remove(e)
		}
	}
	s.rename(renamed)
}

// renamed returns the new names of those entries that have one. A name that
// another entry has is free if that one has a new name itself: two names may
// have been exchanged.
func (s *Scanner) renamed(left []*entry, listed map[string]spec.Identity) map[*entry]string {
	renamed := make(map[*entry]string)
	for name, id := range listed {
		e, holder := s.byID[id], s.entries[name]
		if e == nil || holder == e || hidden(name) || !slices.Contains(left, e) {
			continue
		}
		if renamed[e] == "" || holder == nil {
			renamed[e] = name
		}
	}
	for again := true; again; {
		again = false
		for e, name := range renamed {
			if holder := s.entries[name]; holder != nil && renamed[holder] == "" {
				delete(renamed, e)
				again = true
			}
		}
	}
	return renamed
}

// reportUnreadable reports, once, a scan directory that cannot be listed. If
// that is for want of descriptors or memory, services that are no longer listed
// are stopped, because their end frees some.
func (s *Scanner) reportUnreadable(err error) {
	if why := err.Error(); why != s.unreadable {
		s.unreadable = why
		s.emit(Change{Kind: Unreadable, Source: spec.Source{Dir: s.dir}, Err: err})
	}
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM) {
		for name, e := range s.entries {
			if gone(filepath.Join(s.dir, name), e.id) {
				s.remove(e)
			}
		}
		s.recheckLater()
	}
}

// openWatch begins to watch, or to poll where watching fails.
func (s *Scanner) openWatch() {
	w, err := newWatcher()
	if err == nil {
		if err = s.poll.Add(w.fd, epoll.Edge, s.wake); err == nil {
			s.watch = w
			return
		}
		w.close()
	}
	s.startPolling(err)
}

// watchScan watches the scan directory, and the path that leads to it.
func (s *Scanner) watchScan() {
	if s.watch == nil {
		return
	}
	s.watch.follow(wayKey, "", 0, s.dir)
	err := s.watch.watchScan(s.dir)
	// The errors that last: no more watches, and a filter of system calls.
	for _, lasting := range []error{unix.ENOSPC, unix.EPERM, unix.ENOSYS} {
		if errors.Is(err, lasting) {
			s.startPolling(err)
		}
	}
}

// startPolling lists the scan directory every 5 seconds from now on, beside
// watching what can be watched.
func (s *Scanner) startPolling(err error) {
	if s.ticker != nil {
		return
	}
	s.ticker = time.NewTicker(pollEvery)
	s.emit(Change{Kind: Unwatched, Source: spec.Source{Dir: s.dir}, Err: errors.New(err.Error() + "; reading it every " + pollEvery.String() + " instead")})
}

// recheckLater has everything looked at once more after recheckAfter.
func (s *Scanner) recheckLater() { s.recheck.Reset(recheckAfter) }

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
