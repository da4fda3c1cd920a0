package scan

import (
	"svinit/services/spec"
)

// setInvalid notes an entry that cannot be a service, and watches what can make
// it one. It is reported at once with now, otherwise if it is still so after
// recheckAfter: somebody may be making it. Each reason is reported once.
func (s *Scanner) setInvalid(name string, x *sight, now bool) {
	s.follow(name, x, writes, x.lookups)
	reported, known := s.invalid[name]
	switch reason := x.run.Error(); {
	case reported == reason:
	case now:
		s.invalid[name] = reason
		s.emit(Change{Kind: Invalid, Source: spec.Source{Name: name}, Err: x.run})
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
