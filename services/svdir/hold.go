package svdir

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Held is a state directory that we supervise: locked, its control open. It
// lasts until Release; one goroutine owns it. It is the directory that is
// held, not its name: it may be renamed, and the links to it removed.
type Held struct {
	Path    string // as it was called at first, for messages
	dir     int    // O_PATH
	lock    int
	control int
	ok      int    // -1 until Announce
	group   int    // that of Share, or 0
	marked  string // of Mark, in a fallback
	counted bool   // the file system counts links, see Removed
}

var (
	// ErrLocked says that another supervisor of this container has the directory.
	ErrLocked = errors.New("another supervisor has it")
	// errLockedElsewhere says that one of another container has it.
	errLockedElsewhere = errors.New("a supervisor in another container has it")
)

// Hold makes the state directory where it is missing and takes it: locks it
// and opens control. It does not yet say that we listen; Announce does. What
// an earlier supervisor left is taken over. The directory must be ours; it may be
// a link that is ours or root's. Errors: ErrLocked (wrapped), else what is wrong
// with this place.
func Hold(path string) (*Held, error) {
	h, err := holdAt(unix.AT_FDCWD, path, path)
	if err == nil {
		if err = h.enter(""); err != nil {
			h.Release()
		}
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}

// holdAt locks the directory, whose path is relative to that of the descriptor
// at, and opens control.
func holdAt(at int, path, full string) (*Held, error) {
	dir, st, err := openDir(at, path, true)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: full, Err: err}
	}
	h := &Held{Path: full, dir: dir, lock: -1, control: -1, ok: -1}
	if err = h.take(&st); err != nil {
		h.Release()
		return nil, err
	}
	return h, nil
}

// take locks the directory, whose attributes are given.
func (h *Held) take(st *unix.Stat_t) (err error) {
	if err = owned(h.Path, st); err != nil {
		return err
	}
	if st.Mode&0o022 != 0 { // others must not put anything there
		if err = h.setDir(0, st.Mode&0o7755); err != nil {
			return err
		}
	}
	if h.lock, err = h.openLock(); err != nil {
		return err
	}
	if err = unix.Flock(h.lock, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if err == unix.EWOULDBLOCK {
			err = ErrLocked
			if distanceOf(h.dir, hereNow()) != sameContainer {
				err = errLockedElsewhere
			}
		}
		return fmt.Errorf("lock %s/lock: %w", h.Path, err)
	}
	// Until enter says whose state this is, what an earlier supervisor said of
	// that does not hold.
	unix.Unlinkat(h.dir, namespaceLink, 0)
	// Opened for both, a FIFO never reports the end of file when the last
	// client has gone (fifo(7)).
	h.control, err = h.openFIFO("control", unix.O_RDWR, 0o600)
	h.counted = err == nil && !h.unlinked()
	return err
}

// enter says in which container we are, and in a fallback which service
// directory the state is of.
func (h *Held) enter(service string) error {
	if service != "" {
		if err := h.Mark(service); err != nil {
			return err
		}
	}
	return h.link(namespaceLink, hereNow().String())
}

// Mark says in a fallback state directory that it is that of the service
// directory service, an absolute path.
func (h *Held) Mark(service string) error {
	if err := h.link(serviceLink, service); err != nil {
		return err
	}
	h.marked = service
	return nil
}

// Remark says the same again if this is a fallback and the service directory was
// renamed.
func (h *Held) Remark(service string) error {
	if h.marked == "" || h.marked == service {
		return nil
	}
	return h.Mark(service)
}

// link makes a symbolic link, in the place of one that exists.
func (h *Held) link(name, target string) error {
	temp := name + ".new"
	unix.Unlinkat(h.dir, temp, 0)
	if err := unix.Symlinkat(target, h.dir, temp); err != nil {
		return h.errorf("make", temp, err)
	}
	if err := unix.Renameat(h.dir, temp, h.dir, name); err != nil {
		return h.errorf("rename", temp, err)
	}
	return nil
}

// setDir sets group and mode of the directory.
func (h *Held) setDir(gid int, mode uint32) error {
	fd, err := openat(h.dir, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err == nil {
		err = setAccess(fd, gid, mode)
		unix.Close(fd)
	}
	if err != nil {
		return h.errorf("share", ".", err)
	}
	return nil
}

// Share opens the directory to a group: its members may look into it, read the
// status, and write to control and ok. It is called before Announce. Errors:
// those of chown(2), EPERM unless we are root or a member.
func (h *Held) Share(gid int) error {
	if err := setAccess(h.control, gid, 0o620); err != nil {
		return h.errorf("share", "control", err)
	}
	// The directory last: until then nobody gets at the files.
	if err := h.setDir(gid, 0o750); err != nil {
		return err
	}
	h.group = gid
	return nil
}

// Announce opens ok: from now on svok and svc find us. The first status must
// have been written before. Those may open ok who may look into the directory:
// svstat and svok ask there whether we live, and write nothing.
func (h *Held) Announce() (err error) {
	if h.ok >= 0 {
		return nil
	}
	mode := uint32(0o600)
	var st unix.Stat_t
	if unix.Fstat(h.dir, &st) == nil {
		mode |= st.Mode & 0o011 << 1
	}
	h.ok, err = h.openFIFO("ok", unix.O_RDONLY, mode)
	return err
}

// Control is the descriptor of the FIFO, non-blocking, to be waited for.
func (h *Held) Control() int { return h.control }

// ReadControl reads the command bytes that have come; 0 and no error when
// there are none.
func (h *Held) ReadControl(b []byte) (int, error) {
	for {
		n, err := unix.Read(h.control, b)
		switch err {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return 0, nil
		}
		return max(n, 0), err
	}
}

// Removed reports whether somebody has removed the directory, or files in it
// without which it does not serve.
func (h *Held) Removed() bool { return h.counted && h.unlinked() }

// unlinked reports whether one of the open files has no name any more. Some file
// systems say so of all files.
func (h *Held) unlinked() bool {
	for _, fd := range []int{h.dir, h.lock, h.control, h.ok} {
		var st unix.Stat_t
		if fd >= 0 && unix.Fstat(fd, &st) == nil && st.Nlink == 0 {
			return true
		}
	}
	return false
}

// Release unlocks the directory and closes what Hold opened. The files stay,
// as daemontools leaves them: without readers they say that nobody listens.
func (h *Held) Release() {
	if h.control >= 0 { // we have the lock
		unix.Unlinkat(h.dir, namespaceLink, 0)
	}
	for _, fd := range []*int{&h.ok, &h.control, &h.lock, &h.dir} {
		if *fd >= 0 {
			unix.Close(*fd)
			*fd = -1
		}
	}
}

// openLock opens the file lock, made when missing, and made anew when a link or
// something else has its name. A file with two names may be that of somebody
// else. It is not removed if it is a file that we may not open: another user's
// supervisor may have it.
func (h *Held) openLock() (int, error) {
	for try := 0; ; try++ {
		fd, err := openat(h.dir, "lock", unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT|unix.O_NOFOLLOW)
		var st unix.Stat_t
		if err == nil {
			if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Nlink <= 1 {
				return fd, nil
			}
			unix.Close(fd)
			err = errNotRegular
		} else if unix.Fstatat(h.dir, "lock", &st, unix.AT_SYMLINK_NOFOLLOW) != nil || st.Mode&unix.S_IFMT == unix.S_IFREG {
			return -1, h.errorf("open", "lock", err)
		}
		if try > 0 {
			return -1, h.errorf("open", "lock", err)
		}
		h.remove("lock")
	}
}

// openFIFO opens a FIFO, made when missing and made anew when something else
// has its name, or when it has another owner, group or mode: we hold the lock, so
// that thing is nobody's.
func (h *Held) openFIFO(name string, flags int, mode uint32) (int, error) {
	for try := 0; ; try++ {
		err := unix.Mknodat(h.dir, name, unix.S_IFIFO|mode, 0)
		made := err == nil
		if !made && err != unix.EEXIST {
			return -1, h.errorf("make", name, err)
		}
		var st unix.Stat_t
		fd := -1
		// What is no FIFO is not opened: opening a device can have an effect.
		err = unix.Fstatat(h.dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err == nil && st.Mode&unix.S_IFMT != unix.S_IFIFO {
			err = errNotFIFO
		}
		if err == nil {
			fd, err = openat(h.dir, name, flags|unix.O_NOFOLLOW)
		}
		if err == nil {
			err = unix.Fstat(fd, &st)
		}
		switch {
		case err != nil:
		case st.Mode&unix.S_IFMT != unix.S_IFIFO:
			err = errNotFIFO
		case made:
			setAccess(fd, h.group, mode) // whatever the umask
			return fd, nil
		case int(st.Uid) == os.Geteuid() && st.Mode&0o7777 == mode && (h.group == 0 || int(st.Gid) == h.group):
			return fd, nil
		}
		if fd >= 0 {
			unix.Close(fd)
		}
		if try > 0 || made {
			return -1, h.errorf("open", name, cmp.Or(err, errNotFIFO))
		}
		if err := h.remove(name); err != nil {
			return -1, h.errorf("remove", name, err)
		}
	}
}

// remove removes a file, a link or an empty directory.
func (h *Held) remove(name string) error {
	err := unix.Unlinkat(h.dir, name, 0)
	if err == unix.EISDIR {
		err = unix.Unlinkat(h.dir, name, unix.AT_REMOVEDIR)
	}
	return err
}

func (h *Held) errorf(op, name string, err error) error {
	return &os.PathError{Op: op, Path: filepath.Join(h.Path, name), Err: err}
}
