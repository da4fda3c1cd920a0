package scan

import (
	"bytes"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// inotify is a watcher that uses inotify(7). An id is a watch descriptor. Its
// descriptor can be read when something has happened.
type inotify struct {
	fd  int
	buf []byte
}

// newInotify returns a watcher whose descriptor is non-blocking. Errors: those
// of inotify_init1(2).
func newInotify() (*inotify, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, &os.SyscallError{Syscall: "inotify_init1", Err: err}
	}
	return &inotify{fd: fd}, nil
}

// close ends all watches.
func (w *inotify) close() { discard(w.fd) }

// The events of each mask. Those of a directory itself are always reported.
const (
	inSelf    = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF
	inChanges = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ATTRIB | inSelf
)

func (w *inotify) add(dir string, what mask) (int32, error) {
	bits := uint32(unix.IN_ONLYDIR | unix.IN_MASK_ADD)
	if what&changes != 0 {
		bits |= inChanges
	}
	if what&moves != 0 {
		bits |= inSelf
	}
	if what&writes != 0 {
		bits |= unix.IN_CLOSE_WRITE
	}
	id, err := unix.InotifyAddWatch(w.fd, dir, bits)
	if err != nil {
		return -1, &fs.PathError{Op: "watch", Path: dir, Err: err}
	}
	return int32(id), nil
}

func (w *inotify) remove(id int32) { unix.InotifyRmWatch(w.fd, uint32(id)) }

func (w *inotify) read() (all []event) {
	if w.buf == nil {
		w.buf = make([]byte, 16<<10)
	}
	for {
		n, err := unix.Read(w.fd, w.buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return all
		}
		for b := w.buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			// struct inotify_event, host byte order: wd, mask, cookie, len, name
			// padded with NUL to len.
			raw := (*unix.InotifyEvent)(unsafe.Pointer(&b[0]))
			name, _, _ := bytes.Cut(b[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+int(raw.Len)], []byte{0})
			b = b[unix.SizeofInotifyEvent+int(raw.Len):]
			e := event{id: raw.Wd, name: string(name), ended: raw.Mask&unix.IN_IGNORED != 0}
			if raw.Mask&unix.IN_Q_OVERFLOW != 0 {
				e = event{id: -1}
			}
			if len(all) == 0 || all[len(all)-1] != e {
				all = append(all, e)
			}
		}
	}
}
