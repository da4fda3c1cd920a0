package scan

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"svinit/services/spec"
)

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
	if s.watch != nil && s.watch.scan < 0 && s.ticker == nil {
		s.watchScan() // the directory did not exist when this was last tried
		s.recheckLater()
	}
	s.compare(listed)
	for _, name := range names {
		s.compareEntry(name, listed[name], now)
	}
	for name := range s.invalid {
		if _, ok := listed[name]; !ok {
			s.clearInvalid(name)
		}
	}
}

// list returns the names in the scan directory, and where each leads. A name
// that no longer exists when it is looked at may have been renamed to one that
// was not listed, so the directory is then listed again.
func (s *Scanner) list() (names []string, listed map[string]*sight, err error) {
	for try := 0; ; try++ {
		l, known := ask(s, listKey, func(c *call) listing { return readNames(c, s.dir) })
		if !known {
			return nil, nil, errUnknown
		}
		if l.err != nil {
			return nil, nil, l.err
		}
		s.setSilent(listKey, silence{s.dir, l.kind})
		listed = make(map[string]*sight, len(l.names))
		found := s.seeAll(l.names)
		stale := false
		for i, name := range l.names {
			listed[name] = &found[i]
			stale = stale || found[i].missing
		}
		if !stale || try == 5 {
			return l.names, listed, nil
		}
	}
}

// listing is what readNames finds.
type listing struct {
	names []string
	kind  string // see silence
	err   error
}

// readNames lists a scan directory. It opens nothing but a directory: to open a
// FIFO waits for somebody who writes to it.
func readNames(c *call, path string) (l listing) {
	if _, _, err := walk(c, "", path); err == errUnknown {
		return listing{err: err}
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return listing{err: &fs.PathError{Op: "open", Path: path, Err: err}}
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	l.names, l.err = f.Readdirnames(-1)
	l.kind = silentKind(path)
	return l
}

// compare finds the entries that were renamed or removed.
func (s *Scanner) compare(listed map[string]*sight) {
	var left []*entry // entries that have left their name
	for name, e := range s.entries {
		if x := listed[name]; !e.leaving && (x == nil || x.err != errUnknown && (x.err != nil || x.id != e.id)) {
			left = append(left, e)
		}
	}
	if left == nil {
		return
	}
	renamed := s.renamed(left, listed)
	for _, e := range left {
		if renamed[e] == "" {
			if x := s.see(e.name); x.gone(e.id) {
				s.remove(e)
			}
		}
	}
	s.rename(renamed, listed)
}

// renamed returns the new names of those entries that have one. A name that
// another entry has is free if that one has a new name itself: two names may
// have been exchanged.
func (s *Scanner) renamed(left []*entry, listed map[string]*sight) map[*entry]string {
	renamed := make(map[*entry]string)
	for name, x := range listed {
		e, holder := s.byID[x.id], s.entries[name]
		if x.err != nil || e == nil || holder == e || hidden(name) || !slices.Contains(left, e) {
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
	if err == errUnknown {
		return // see reportCalls
	}
	if why := err.Error(); why != s.unreadable {
		s.unreadable = why
		s.emit(Change{Kind: Unreadable, Source: spec.Source{Dir: s.dir}, Err: err})
	}
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM) {
		for name, e := range s.entries {
			if x := s.see(name); x.gone(e.id) {
				s.remove(e)
			}
		}
		s.recheckLater()
	}
}

// modifiedAt returns when the scan directory was modified, in ns, or 0.
func (s *Scanner) modifiedAt() int64 {
	at, _ := ask(s, timeKey, func(c *call) int64 {
		var st unix.Stat_t
		if _, _, err := walk(c, "", filepath.Clean(s.dir)); err == errUnknown || unix.Stat(s.dir, &st) != nil {
			return 0
		}
		return st.Mtim.Nano()
	})
	return at
}

// recheckLater has everything looked at once more after recheckAfter.
func (s *Scanner) recheckLater() {
	s.recheckNeeded = true
	s.recheck.Reset(recheckAfter)
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
