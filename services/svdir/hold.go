package svdir

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Held is a state directory that we supervise: locked, its control open. It
// lasts until Release; one goroutine owns it. It is the directory that is
// held, not its name: it may be renamed, and the links to it removed.
type Held struct {
	Path    string // as it was called at first, for messages
	dir     int
	lock    int
	control int
	ok      int // -1 until Announce
	group   int // that of Share, or 0
}

// ErrLocked says that another supervisor has the directory.
var ErrLocked = errors.New("another supervisor has it")

// Hold makes the state directory where it is missing and takes it: locks it
// and opens control. It does not yet say that we listen; Announce does. What
// an earlier supervisor left is taken over. Errors: ErrLocked (wrapped), else
// those of the system with the path.
func Hold(path string) (*Held, error) {
	// The target of a dangling link is made too, as Debian's supervise does:
	// images link supervise to a writable place that is empty at boot.
	if err := os.Mkdir(path, 0o700); errors.Is(err, fs.ErrExist) {
		if target, err := os.Readlink(path); err == nil {
			if !filepath.IsAbs(target) {
				target = filepath.Dir(path) + "/" + target
			}
			os.Mkdir(target, 0o700)
		}
	} else if err != nil {
		return nil, err
	}
	const oPath = 0x200000 // O_PATH: to find files in it, not to read it
	dir, err := syscall.Open(path, oPath|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	h := &Held{Path: path, dir: dir, lock: -1, control: -1, ok: -1}
	if h.lock, err = h.open("lock", syscall.O_WRONLY|syscall.O_APPEND|syscall.O_CREAT); err != nil {
		h.Release()
		return nil, err
	}
	if err := syscall.Flock(h.lock, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		h.Release()
		if err == syscall.EWOULDBLOCK {
			err = ErrLocked
		}
		return nil, fmt.Errorf("lock %s/lock: %w", path, err)
	}
	// Opened for both, a FIFO never reports the end of file when the last
	// client has gone (fifo(7)).
	if h.control, err = h.openFIFO("control", syscall.O_RDWR); err != nil {
		h.Release()
		return nil, err
	}
	return h, nil
}

// Share opens the directory to a group: its members may look into it, read the
// status, and write to control and ok. It is called before Announce. Errors:
// those of chown(2), EPERM unless we are root or a member.
func (h *Held) Share(gid int) error {
	// The directory last: until then nobody gets at the files.
	for _, f := range []struct {
		name string
		mode uint32
	}{{"control", 0o620}, {".", 0o750}} {
		err := syscall.Fchownat(h.dir, f.name, -1, gid, 0)
		if err == nil {
			err = syscall.Fchmodat(h.dir, f.name, f.mode, 0)
		}
		if err != nil {
			return h.errorf("share", f.name, err)
		}
	}
	h.group = gid
	return nil
}

// Announce opens ok: from now on svok and svc find us. The first status must
// have been written before.
func (h *Held) Announce() (err error) {
	if h.ok >= 0 {
		return nil
	}
	if h.ok, err = h.openFIFO("ok", syscall.O_RDONLY); err == nil {
		h.show()
	}
	return err
}

// show lets those open ok who may look into the directory, if it is our own:
// svstat and svok ask there whether we live, and write nothing.
func (h *Held) show() {
	var st syscall.Stat_t
	if h.group != 0 {
		syscall.Fchown(h.ok, -1, h.group)
	}
	if syscall.Fstat(h.dir, &st) == nil {
		syscall.Fchmod(h.ok, 0o600|st.Mode&0o011<<1)
	}
}

// Control is the descriptor of the FIFO, non-blocking, to be waited for.
func (h *Held) Control() int { return h.control }

// ReadControl reads the command bytes that have come; 0 and no error when
// there are none.
func (h *Held) ReadControl(b []byte) (int, error) {
	for {
		n, err := syscall.Read(h.control, b)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, nil
		}
		return max(n, 0), err
	}
}

// Release unlocks the directory and closes what Hold opened. The files stay,
// as daemontools leaves them: without readers they say that nobody listens.
func (h *Held) Release() {
	for _, fd := range []*int{&h.ok, &h.control, &h.lock, &h.dir} {
		if *fd >= 0 {
			syscall.Close(*fd)
			*fd = -1
		}
	}
}

// WriteStatus replaces the files status, and runit's pid and stat, which say
// the same in words. A reader sees the old file or the new one, never a part.
func (h *Held) WriteStatus(s Status) error {
	// status is the last: who has read it finds the others to be right.
	var b [64]byte
	return cmp.Or(
		h.replace("pid", s.appendPID(b[:0])),
		h.replace("stat", s.appendStat(b[:0])),
		h.replace("status", s.Append(b[:0])),
	)
}

// replace writes NAME.new and renames it. There is no fsync: the record means
// nothing after the machine has stopped.
func (h *Held) replace(name string, b []byte) error {
	temp := name + ".new"
	// O_NONBLOCK: a FIFO of that name would keep us until somebody reads it.
	fd, err := syscall.Openat(h.dir, temp, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC|syscall.O_NONBLOCK|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return h.errorf("open", temp, err)
	}
	if h.group != 0 {
		syscall.Fchmod(fd, 0o644) // whatever our umask
	}
	n, err := syscall.Write(fd, b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if cerr := syscall.Close(fd); err == nil {
		err = cerr
	}
	if err != nil {
		return h.errorf("write", temp, err)
	}
	if err := syscall.Renameat(h.dir, temp, h.dir, name); err != nil {
		return h.errorf("rename", temp, err)
	}
	return nil
}

// openFIFO opens a FIFO, made when missing and made anew when something else
// has its name: we hold the lock, so that thing is nobody's.
func (h *Held) openFIFO(name string, flags int) (int, error) {
	for try := 0; ; try++ {
		if err := syscall.Mknodat(h.dir, name, syscall.S_IFIFO|0o600, 0); err != nil && err != syscall.EEXIST {
			return -1, h.errorf("make", name, err)
		}
		fd, err := h.open(name, flags)
		var st syscall.Stat_t
		if err == nil {
			if serr := syscall.Fstat(fd, &st); serr == nil && st.Mode&syscall.S_IFMT == syscall.S_IFIFO {
				return fd, nil
			}
			syscall.Close(fd)
			err = h.errorf("open", name, errors.New("not a FIFO"))
		} else if serr := syscall.Stat(h.Path+"/"+name, &st); serr == nil && st.Mode&syscall.S_IFMT == syscall.S_IFIFO {
			return -1, err
		}
		if try > 0 {
			return -1, err
		}
		os.Remove(h.Path + "/" + name)
	}
}

func (h *Held) open(name string, flags int) (int, error) {
	fd, err := openat(h.dir, name, flags)
	if err != nil {
		return -1, h.errorf("open", name, err)
	}
	return fd, nil
}

func (h *Held) errorf(op, name string, err error) error {
	return &os.PathError{Op: op, Path: h.Path + "/" + name, Err: err}
}

// openat opens without waiting for anything.
func openat(dir int, path string, flags int) (int, error) {
	for {
		fd, err := syscall.Openat(dir, path, flags|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0o600)
		if err != syscall.EINTR {
			return fd, err
		}
	}
}
