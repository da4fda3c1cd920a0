package svdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Supervise is the state directory's name inside a service directory.
const Supervise = "supervise"

// Bases returns where state directories are for service directories that
// cannot be written, in the order in which they are tried: custom (the value
// of $SVINIT_STATE_DIR, passed over when empty), /run/svinit,
// /dev/shm/svinit-UID-ID and /tmp/svinit-UID-ID. ID is the number of our PID
// namespace: all containers of a pod have one /dev/shm.
func Bases(custom string, uid int) []string { return bases(custom, uid, here().ids()[:1]) }

// bases returns the bases for some names of this container.
func bases(custom string, uid int, ids []string) []string {
	b := []string{custom, "/run/svinit"}
	for _, id := range ids {
		name := "/svinit-" + strconv.Itoa(uid) + "-" + id
		b = append(b, "/dev/shm"+name, "/tmp"+name)
	}
	if custom == "" {
		b = b[1:]
	}
	return b
}

// claim makes base ours and opens it: a directory, not a link to one, owned by
// us, mode 0700, or 0750 with a group gid that is not 0. The error names what is
// in the way.
func claim(base string, gid int) (fd int, err error) {
	if err := unix.Mkdir(base, 0o700); err != nil && err != unix.EEXIST {
		return -1, &os.PathError{Op: "mkdir", Path: base, Err: err}
	}
	fd, err = openat(unix.AT_FDCWD, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(fd, &st)
	}
	switch {
	case err == unix.ENOTDIR || err == unix.ELOOP:
		return -1, fmt.Errorf("%s is not a directory", base)
	case err != nil:
		err = &os.PathError{Op: "open", Path: base, Err: err}
	default:
		mode := uint32(0o700)
		if gid != 0 {
			mode = 0o750
		}
		if err = owned(base, &st); err == nil {
			if err = setAccess(fd, gid, mode); err != nil {
				err = &os.PathError{Op: "share", Path: base, Err: err}
			}
		}
	}
	if err != nil && fd >= 0 {
		unix.Close(fd)
		fd = -1
	}
	return fd, err
}

// serviceLink is a link in a fallback state directory to the service directory
// whose state it is. Two service directories may have one name.
const serviceLink = "service"

// maxNames is how many names are tried for one service.
const maxNames = 100

// HoldBelow takes the state directory of the service directory service, an
// absolute path, below one of Bases. It is called name, as the service is, NAME/log
// for a logger; or NAME+2 and so on where another container, or a service that
// had this name before, has that one. gid is as for Share, or 0. Errors: those of
// Hold, and what is wrong with the base.
func HoldBelow(base string, gid int, name, service string) (*Held, error) {
	fd, err := claim(base, gid)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	first, rest, isLog := strings.Cut(name, "/")
	for n := 1; ; n++ {
		name := first
		if n > 1 {
			name += "+" + strconv.Itoa(n)
		}
		if isLog {
			// The logger's is below its service's, which has been held first or
			// will be.
			if err := unix.Mkdirat(fd, name, 0o700); err != nil && err != unix.EEXIST {
				return nil, &os.PathError{Op: "mkdir", Path: filepath.Join(base, name), Err: err}
			}
			name += "/" + rest
		}
		h, err := holdAt(fd, name, filepath.Join(base, name))
		if err == nil {
			if err = h.enter(service); err == nil {
				return h, nil
			}
			h.Release()
			return nil, err
		}
		elsewhere := errors.Is(err, errLockedElsewhere) || errors.Is(err, ErrLocked) && isOther(fd, name, service)
		if !elsewhere || n == maxNames {
			return nil, err
		}
	}
}

// isOther reports whether the state directory, which is locked by a supervisor
// of this container, is that of another service directory. While that is not
// known yet it is not: the supervisor has not come to enter.
func isOther(base int, name, service string) bool {
	dir, _, err := openDir(base, name, false)
	if err != nil {
		return false
	}
	defer unix.Close(dir)
	var there, ours unix.Stat_t
	return unix.Fstatat(dir, namespaceLink, &there, unix.AT_SYMLINK_NOFOLLOW) == nil &&
		unix.Fstatat(dir, serviceLink, &there, 0) == nil &&
		unix.Stat(service, &ours) == nil &&
		(there.Dev != ours.Dev || there.Ino != ours.Ino)
}
