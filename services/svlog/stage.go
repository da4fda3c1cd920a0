package svlog

import "golang.org/x/sys/unix"

// stage is a pipe in which whole lines are gathered before splice(2) moves them
// to another pipe. Each page of it has whole lines, and splice moves whole pages,
// so what others write to that pipe comes between lines. Single writes to it would
// do that too, but each wakes its reader: with those svinit passes on a third
// less. It is made when it is first needed.
type stage struct {
	r, w   int
	open   bool
	failed bool // there is no splice here
	held   int  // bytes
}

// write writes lines, at most pipeBuf bytes, to the pipe fd, at once or by the
// next flush.
func (s *stage) write(fd int, lines []byte) error {
	if !s.open && !s.failed {
		s.make()
	}
	for !s.failed {
		n, err := unix.Write(s.w, lines)
		switch {
		case err == nil:
			s.held += n
			return nil
		case err == unix.EAGAIN && s.held > 0: // full
			if err := s.flush(fd); err != nil {
				return err
			}
		case err != unix.EINTR:
			s.failed = true
		}
	}
	return writeAll(fd, lines)
}

// make makes the pipe.
func (s *stage) make() {
	var p [2]int
	if unix.Pipe2(p[:], unix.O_CLOEXEC) != nil {
		s.failed = true
		return
	}
	s.r, s.w, s.open = p[0], p[1], true
	// Only this end: splice would not wait with either of them.
	s.failed = unix.SetNonblock(s.w, true) != nil
}

// flush moves everything to the pipe fd. After an error nothing is left.
func (s *stage) flush(fd int) error {
	for s.held > 0 {
		n, err := unix.Splice(s.r, nil, fd, nil, s.held, 0)
		switch {
		case err == nil:
			s.held -= int(n)
		case err == unix.EINVAL || err == unix.ENOSYS || err == unix.EPERM:
			s.failed = true
			return s.copy(fd)
		default:
			if err = retry(fd, err); err != nil {
				s.discard()
				return err
			}
		}
	}
	return nil
}

// copy does what flush does, where splice does not work.
func (s *stage) copy(fd int) error {
	var page [pipeBuf]byte
	for s.held > 0 {
		n, err := unix.Read(s.r, page[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			s.discard()
			return err
		}
		s.held -= n
		if err := writeAll(fd, page[:n]); err != nil {
			s.discard()
			return err
		}
	}
	return nil
}

// discard closes the pipe with what it holds.
func (s *stage) discard() {
	if s.open {
		unix.Close(s.r)
		unix.Close(s.w)
	}
	*s = stage{failed: s.failed}
}
