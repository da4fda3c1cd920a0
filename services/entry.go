package services

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"svinit/services/machine"
	"svinit/services/program"
	"svinit/services/spec"
)

// entry is a service directory that is listed in the scan directory, or was
// until a moment ago: its main service, its logger, and the pipe between.
type entry struct {
	place
	ident
	main, log *owner   // nil when it does not run, or was let go
	pipe      *logPipe // nil without a logger
	leaving   bool     // no longer listed; it goes when both have ended
	badLog    bool     // that its log is no directory has been said
	next      []string // names for the same directory that wait for that
}

// place is what a service directory is called.
type place struct{ name, dir string }

func (p place) source() spec.Source { return spec.Source{Name: p.name, Dir: p.dir} }

// hidden names are none of ours.
func hidden(name string) bool { return name == "" || name[0] == '.' }

// examine compares one name of the scan directory with what we know of it. It
// reports whether that was enough: where a known directory has gone from a
// name, or come to another, only a scan can tell what has happened. With now a
// broken entry is complained of at once.
func (s *Set) examine(name string, now bool) bool {
	if hidden(name) || s.stopping {
		return true
	}
	path := filepath.Join(s.dir, name)
	id, err := identify(path)
	if known := s.entries[name]; known != nil {
		switch {
		case err != nil || known.ident != id:
			return known.leaving || !gone(path, known.ident)
		case known.leaving:
			s.comeBack(known)
		default:
			s.refresh(known)
		}
		return true
	}
	if e := s.byIdent[id]; err == nil && e != nil {
		if e.leaving && !slices.Contains(e.next, name) {
			e.next = append(e.next, name)
		}
		// A second name; or its new one, if the old one has gone.
		return e.leaving || !gone(filepath.Join(s.dir, e.name), id)
	}
	if err == nil {
		err = program.CheckExecutable(path + "/run")
	} else {
		err = explainEntry(path, err)
	}
	if err != nil {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			s.mended(name)
			return true
		}
		s.broken(name, err, now)
		return true
	}
	s.mended(name)
	s.add(placeOf(name, path), id)
	return true
}

// comeBack hurries an entry that is listed again before it has gone: its
// logger may wait for the end of an input that a process in the background
// holds open.
func (s *Set) comeBack(e *entry) {
	if e.main == nil && e.log != nil && e.pipe.unread() == 0 {
		e.log.order(machine.TermLogger)
	}
}

// placeOf is where an entry really is: the link that leads there may be gone
// while its service still has to stop, and its logger to start once more.
func placeOf(name, path string) place {
	var st unix.Stat_t
	if unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		if _, dir := walk("", path); dir != "" {
			path = dir
		}
	}
	return place{name, path}
}

// add takes up a service directory.
func (s *Set) add(p place, id ident) {
	e := &entry{place: p, ident: id}
	s.entries[p.name] = e
	s.byIdent[id] = e
	s.startLogger(e)
	s.startMain(e)
	s.followEntry(e)
}

func (s *Set) startMain(e *entry) {
	e.main = newOwner(s.cfg, e.source(), s.inbox.send)
	e.main.output = e.pipe
	s.running++
	s.begin(e.main)
}

// startLogger starts the logger if there is a directory log. Its pipe stays
// for as long as the entry does.
func (s *Set) startLogger(e *entry) {
	dir := filepath.Join(e.dir, "log")
	if _, err := identify(dir); err == errNoDir {
		if !e.badLog {
			e.badLog = true
			s.cfg.warn("log "+e.name+" to", dir, err)
		}
		return
	}
	// An application may keep its own files in a directory of that name.
	var st unix.Stat_t
	if unix.Lstat(dir+"/run", &st) != nil {
		return
	}
	if e.pipe == nil {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			s.cfg.warn("log "+e.name+" to", dir, err)
			return
		}
		e.pipe = &logPipe{p[0], p[1]}
	}
	e.log = newOwner(s.cfg, place{e.name + "/log", dir}.source(), s.inbox.send)
	e.log.input = e.pipe
	s.begin(e.log)
}

// begin starts an owner.
func (s *Set) begin(svc *owner) {
	svc.slots = s.slots
	if !s.begun && s.cfg.First != nil {
		s.cfg.First()
	}
	s.begun = true
	go svc.run()
}

// refresh looks again at an entry that is as it was: what could not be
// started may start now, and a logger may have been added. It is used from
// the next start on.
func (s *Set) refresh(e *entry) {
	if e.pipe == nil {
		if s.startLogger(e); e.pipe != nil && e.main != nil {
			e.main.inbox.send(e.pipe)
		}
	}
	if e.main != nil {
		e.main.order(machine.Changed)
	}
	if e.log != nil {
		e.log.order(machine.Changed)
	}
	s.followEntry(e)
}

// retake takes up again what was let go by x and is still listed.
func (s *Set) retake() {
	for _, e := range s.entries {
		if e.leaving {
			continue
		}
		if e.log == nil && e.pipe != nil {
			s.startLogger(e)
		}
		if e.main == nil && program.CheckExecutable(e.dir+"/run") == nil {
			s.startMain(e)
		}
	}
}

// retakeChanged is retake for where the scan directory is polled: when it has
// changed.
func (s *Set) retakeChanged() {
	var st unix.Stat_t
	if unix.Stat(s.dir, &st) != nil {
		return
	}
	if was := s.changed; was != st.Mtim.Nano() {
		if s.changed = st.Mtim.Nano(); was != 0 {
			s.retake()
		}
	}
}

// rename follows a directory to its new name.
func (s *Set) rename(e *entry, p place) {
	delete(s.entries, e.name)
	if s.watch != nil {
		s.watch.forget(e.name)
	}
	e.place = p
	s.entries[p.name] = e
	if e.main != nil {
		e.main.inbox.send(p.source())
	}
	if e.log != nil {
		e.log.inbox.send(place{p.name + "/log", filepath.Join(p.dir, "log")}.source())
	}
	s.followEntry(e)
}

// leave has an entry stop and go.
func (s *Set) leave(e *entry) {
	if e.leaving {
		return
	}
	e.leaving = true
	if e.main != nil {
		e.main.order(machine.Release)
	}
	s.wrapUp(e)
}

// bury notes the end of an owner.
func (s *Set) bury(svc *owner) {
	for _, e := range s.entries {
		if e.main == svc {
			e.main = nil
			s.running--
			s.wrapUp(e)
			break
		}
		if e.log == svc {
			e.log = nil
			s.wrapUp(e)
			break
		}
	}
	s.checkDown()
}

// wrapUp goes on with an entry that is leaving: when the service has ended
// its logger reads what is left, and when that has ended the entry goes. What
// then has its name gets its turn.
func (s *Set) wrapUp(e *entry) {
	switch {
	case !e.leaving || e.main != nil:
	case e.log != nil:
		e.log.order(machine.Drain)
	default:
		if e.pipe != nil {
			e.pipe.closeWriter()
			unix.Close(e.pipe.r)
		}
		if s.watch != nil {
			s.watch.forget(e.name)
		}
		delete(s.entries, e.name)
		delete(s.byIdent, e.ident)
		s.settle.Reset(settleTime) // it leaves room for others
		for _, name := range append(e.next, e.name) {
			s.examine(name, false)
		}
	}
}

// followEntry watches what can change for an entry.
func (s *Set) followEntry(e *entry) {
	if s.watch != nil {
		path := filepath.Join(s.dir, e.name)
		fresh, err := s.watch.follow(e.name, s.dir, 0, filepath.Join(path, "run"), filepath.Join(path, "log", "run"))
		if err != nil {
			s.pollToo(err)
		}
		if fresh && gone(path, e.ident) {
			s.settle.Reset(settleTime)
		}
	}
}

// broken notes an entry that cannot be taken up, and watches for its being
// mended. It is said at once or, of an entry that is perhaps still being
// made, when it is so still after settleTime.
func (s *Set) broken(name string, why error, now bool) {
	if s.watch != nil {
		path := filepath.Join(s.dir, name)
		fresh, err := s.watch.follow(name, s.dir, unix.IN_CLOSE_WRITE, filepath.Join(path, "run"))
		if err != nil {
			s.pollToo(err)
		}
		if _, err := identify(path); fresh && err == nil && program.CheckExecutable(path+"/run") == nil {
			s.settle.Reset(settleTime) // mended before it was watched
		}
	}
	said, known := s.unsound[name]
	switch text := why.Error(); {
	case said == text:
	case now:
		s.unsound[name] = text
		s.cfg.warn("supervise", name, why)
	default:
		if !known {
			s.unsound[name] = ""
		}
		s.settle.Reset(settleTime)
	}
}

// mended forgets a broken entry.
func (s *Set) mended(name string) {
	if _, ok := s.unsound[name]; ok {
		delete(s.unsound, name)
		if s.watch != nil {
			s.watch.forget(name)
		}
	}
}

// complain says what is still broken, and has what failed try again: what it
// wanted for may be there now.
func (s *Set) complain() {
	s.scan(false)
	names := make([]string, 0, len(s.unsound))
	for name := range s.unsound {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s.examine(name, true)
	}
}

// explainEntry says why an entry leads to no directory.
func explainEntry(path string, err error) error {
	if target, lerr := os.Readlink(path); lerr == nil {
		switch err {
		case unix.ENOENT:
			return fmt.Errorf("%s is a link to %s, which does not exist", path, target)
		case unix.ELOOP:
			return fmt.Errorf("%s is a link that leads back to itself", path)
		}
	}
	return fmt.Errorf("%s: %w", path, err)
}
