package services

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// entry is a service directory that is listed in the scan directory, or was
// until a moment ago: its main service, its logger, and the pipe between.
type entry struct {
	place
	ident
	main, log *service // nil when it does not run, or was let go
	pipe      *logPipe // nil without a logger
	leaving   bool     // no longer listed; it goes when both have ended
	next      []string // names for the same directory that wait for that
}

// ident tells directories apart. An inode number is used again at once where
// a directory is removed and another made, hence the time of birth.
type ident struct {
	dev, ino, born uint64
}

// errNoDir is an entry that is no service directory.
var errNoDir = errors.New("not a directory")

// identify returns what the path leads to. Errors: those of stat(2), errNoDir.
func identify(path string) (ident, error) {
	var x unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_TYPE|unix.STATX_INO|unix.STATX_BTIME, &x)
	if err == unix.ENOSYS || err == unix.EPERM { // an old kernel, or a seccomp profile
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			return ident{}, err
		}
		x.Mode, x.Ino = uint16(st.Mode), st.Ino
		x.Dev_major, x.Dev_minor = unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev))
	} else if err != nil {
		return ident{}, err
	}
	if x.Mode&unix.S_IFMT != unix.S_IFDIR {
		return ident{}, errNoDir
	}
	return ident{unix.Mkdev(x.Dev_major, x.Dev_minor), x.Ino, uint64(x.Btime.Sec)*1e9 + uint64(x.Btime.Nsec)}, nil
}

// examine compares one name of the scan directory with what we know of it.
// With now a broken entry is complained of at once.
func (s *Set) examine(name string, now bool) {
	if name == "" || name[0] == '.' || s.stopping {
		return
	}
	path := filepath.Join(s.dir, name)
	id, err := identify(path)
	known := s.entries[name]
	if err == nil && known != nil && known.ident == id {
		if !known.leaving {
			s.refresh(known)
		}
		return // or it comes back when it has gone: see bury
	}
	if known != nil {
		// Gone, broken, or another directory, which waits for this one's end.
		s.leave(known)
		return
	}
	if err == nil {
		if e := s.byIdent[id]; e != nil {
			s.rename(e, placeOf(name, path))
			return
		}
	}
	if err == nil {
		err = checkRun(path)
	} else {
		err = explainEntry(path, err)
	}
	if err != nil {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			s.mended(name)
			return
		}
		s.broken(name, err, now)
		return
	}
	s.mended(name)
	s.add(placeOf(name, path), id)
}

// placeOf is where an entry really is: the link that leads there may be gone
// while its service still has to stop, and its logger to start once more.
func placeOf(name, path string) place {
	var st unix.Stat_t
	if unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		if dir, err := filepath.EvalSymlinks(path); err == nil {
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
	e.main = newService(s.cfg, e.place)
	e.main.output = e.pipe
	s.running++
	s.begin(e.main)
}

// startLogger starts the logger if there is a directory log. Its pipe stays
// for as long as the entry does.
func (s *Set) startLogger(e *entry) {
	dir := filepath.Join(e.dir, "log")
	if _, err := identify(dir); err == errNoDir {
		s.cfg.warn("log "+e.name+" to", dir, err)
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
	e.log = newService(s.cfg, place{e.name + "/log", dir})
	e.log.input = e.pipe
	s.begin(e.log)
}

// begin starts an owner.
func (s *Set) begin(svc *service) {
	svc.ended = func() { s.gone <- svc }
	svc.turns = s.turns
	go svc.own()
}

// refresh looks again at an entry that is as it was: what could not be
// started may start now, and a logger may have been added. It is used from
// the next start on.
func (s *Set) refresh(e *entry) {
	if e.pipe == nil {
		if s.startLogger(e); e.pipe != nil && e.main != nil {
			e.main.attach(e.pipe)
		}
	}
	if e.main != nil {
		e.main.ask(askChanged)
	}
	if e.log != nil {
		e.log.ask(askChanged)
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
		if e.main == nil && checkRun(e.dir) == nil {
			s.startMain(e)
		}
	}
}

// rename follows a directory to its new name, unless it still has the old
// one, too: then the first counts.
func (s *Set) rename(e *entry, p place) {
	if e.leaving {
		e.next = append(e.next, p.name)
		return
	}
	if id, err := identify(filepath.Join(s.dir, e.name)); err == nil && id == e.ident {
		return
	}
	delete(s.entries, e.name)
	if s.watch != nil {
		s.watch.forget(e.name)
	}
	e.place = p
	s.entries[p.name] = e
	if e.main != nil {
		e.main.move(p)
	}
	if e.log != nil {
		e.log.move(place{p.name + "/log", filepath.Join(p.dir, "log")})
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
		e.main.ask(askLeave)
	}
	s.wrapUp(e)
}

// bury notes the end of an owner.
func (s *Set) bury(svc *service) {
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
		e.log.ask(askDrain)
	default:
		if e.pipe != nil {
			e.pipe.hangUp()
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
		s.watch.follow(e.name, s.dir, 0, filepath.Join(path, "run"), filepath.Join(path, "log", "run"))
	}
}

// broken notes an entry that cannot be taken up, and watches for its being
// mended. It is said at once or, of an entry that is perhaps still being
// made, when it is so still after settleTime.
func (s *Set) broken(name string, why error, now bool) {
	if s.watch != nil {
		s.watch.follow(name, s.dir, unix.IN_CLOSE_WRITE, filepath.Join(s.dir, name, "run"))
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
