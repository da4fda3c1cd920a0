package scan

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"svinit/services/program"
	"svinit/services/spec"
)

// setInvalid notes an entry that cannot be a service, and watches what can make
// it one. It is reported at once with now, otherwise if it is still so after
// recheckAfter: somebody may be making it. Each reason is reported once.
func (s *Scanner) setInvalid(name string, why error, now bool) {
	if s.watch != nil {
		path := filepath.Join(s.dir, name)
		fresh, err := s.watch.follow(name, s.dir, unix.IN_CLOSE_WRITE, path, "/run")
		if err != nil {
			s.startPolling(err)
		}
		if _, err := identify(path); fresh && err == nil && program.CheckExecutable(path+"/run") == nil {
			s.recheckLater() // it became valid before it was watched
		}
	}
	reported, known := s.invalid[name]
	switch reason := why.Error(); {
	case reported == reason:
	case now:
		s.invalid[name] = reason
		s.emit(Change{Kind: Invalid, Source: spec.Source{Name: name}, Err: why})
	default:
		if !known {
			s.invalid[name] = ""
		}
		s.recheckLater()
	}
}

// clearInvalid forgets an invalid entry.
func (s *Scanner) clearInvalid(name string) {
	if _, ok := s.invalid[name]; ok {
		delete(s.invalid, name)
		s.forget(name)
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
