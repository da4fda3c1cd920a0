package svdir

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// ErrOutdated says that the status could be neither written nor removed: the
// place shows a state that is past, and does not serve any more.
var ErrOutdated = errors.New("the old one cannot be removed either")

// WriteStatus replaces the files status, and runit's pid and stat, which say
// the same in words. A reader sees the old file or the new one, never a part. A
// file that cannot be written is removed, because what it says is no longer
// true. Errors: those of the system, with ErrOutdated (wrapped) where an old file
// stays.
func (h *Held) WriteStatus(s Status) error {
	// status is the last: who has read it finds the others to be right.
	var b [64]byte
	return cmp.Or(
		h.replaceOrRemove("pid", s.appendPID(b[:0])),
		h.replaceOrRemove("stat", s.appendStat(b[:0])),
		h.replaceOrRemove("status", s.Append(b[:0])),
	)
}

func (h *Held) replaceOrRemove(name string, b []byte) error {
	err := h.replace(name, b)
	if err == nil {
		return nil
	}
	if rerr := h.remove(name); rerr != nil && rerr != unix.ENOENT {
		return fmt.Errorf("%w; %w", err, ErrOutdated)
	}
	return err
}

// replace writes NAME.new and renames it. There is no fsync: the record means
// nothing after the machine has stopped.
func (h *Held) replace(name string, b []byte) error {
	temp := name + ".new"
	const create = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NONBLOCK | unix.O_CLOEXEC
	fd, err := unix.Openat(h.dir, temp, create, 0o644)
	if err == unix.EEXIST { // an earlier life left it
		if err = h.remove(temp); err == nil {
			fd, err = unix.Openat(h.dir, temp, create, 0o644)
		}
	}
	if err != nil {
		return h.errorf("open", temp, err)
	}
	if h.group != 0 {
		setAccess(fd, 0, 0o644) // whatever our umask
	}
	n, err := unix.Write(fd, b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if cerr := unix.Close(fd); err == nil {
		err = cerr
	}
	if err == nil {
		if err = unix.Renameat(h.dir, temp, h.dir, name); err == nil {
			return nil
		}
	}
	h.remove(temp) // it may take the space that others need
	return h.errorf("write", temp, err)
}
