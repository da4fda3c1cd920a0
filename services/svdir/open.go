package svdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A service directory usually belongs to the user of the service, who can put
// anything there in the place of what a supervisor or a tool of root expects.
// So everything is opened through the descriptor of a directory whose owner was
// checked, no link of somebody else is followed, and types are checked by
// fstat(2) after the open, which never waits.

var (
	errForeignLink = errors.New("is a link of another user")
	errNotFIFO     = errors.New("not a FIFO")
	errNotRegular  = errors.New("not a regular file")
)

// maxLinks is how many links openDir follows, one after the other.
const maxLinks = 8

// openDir opens a directory (O_PATH), and returns its attributes. The last
// element of the path may be a link, as Debian and Void link supervise to /run,
// if it belongs to us, to root, or to the owner of the directory it leads to.
// With create a missing directory is made, also at the end of a link, which then
// must belong to us or root. The error names no path.
func openDir(at int, path string, create bool) (fd int, st unix.Stat_t, err error) {
	var linkOwners [maxLinks]uint32
	for links := 0; ; {
		fd, err = openat(at, path, unix.O_PATH|unix.O_NOFOLLOW)
		if err == unix.ENOENT && create {
			create = false
			if err = unix.Mkdirat(at, path, 0o700); err == nil || err == unix.EEXIST {
				continue
			}
		}
		if err != nil {
			return -1, st, err
		}
		if err = unix.Fstat(fd, &st); err != nil {
			unix.Close(fd)
			return -1, st, err
		}
		if st.Mode&unix.S_IFMT != unix.S_IFLNK {
			break
		}
		linkOwners[links] = st.Uid
		links++
		at, path, err = follow(at, path, fd)
		unix.Close(fd)
		switch {
		case err != nil:
			return -1, st, err
		case links == maxLinks:
			return -1, st, unix.ELOOP
		case create && !trusted(st.Uid):
			return -1, st, errForeignLink
		}
	}
	err = nil
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		err = unix.ENOTDIR
	}
	for _, uid := range linkOwners {
		if !trusted(uid) && uid != st.Uid {
			err = errForeignLink
		}
	}
	if err != nil {
		unix.Close(fd)
		return -1, st, err
	}
	return fd, st, nil
}

// trusted reports whether a user may decide where we look: root, or ourselves.
func trusted(uid uint32) bool { return uid == 0 || int(uid) == os.Geteuid() }

// follow returns where the link at a path leads, which is open as fd.
func follow(at int, path string, fd int) (int, string, error) {
	var b [unix.PathMax]byte
	n, err := unix.Readlinkat(fd, "", b[:])
	if err != nil {
		return at, path, err
	}
	target := string(b[:n])
	if filepath.IsAbs(target) {
		return unix.AT_FDCWD, target, nil
	}
	return at, filepath.Dir(path) + "/" + target, nil
}

// owned returns an error if a directory with these attributes is not ours.
func owned(path string, st *unix.Stat_t) error {
	if int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s is owned by uid %d, not by us", path, st.Uid)
	}
	return nil
}

// setAccess sets group and mode of an open file where they differ: a change
// would copy a file of an image's layer, and fuse-overlayfs makes a FIFO a
// regular file by that. A gid of 0 leaves the group.
func setAccess(fd, gid int, mode uint32) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if gid != 0 && int(st.Gid) != gid {
		if err := unix.Fchown(fd, -1, gid); err != nil {
			return err
		}
	}
	if st.Mode&0o7777 != mode {
		return unix.Fchmod(fd, mode)
	}
	return nil
}

// openFIFOAt opens a FIFO of an open state directory for writing, without
// waiting for a reader and without writing to anything that is no FIFO. A FIFO
// of somebody else than the owner of the directory may be a hard link.
// Errors: ErrNotRunning when nobody reads it, errNotFIFO, else those of open(2).
func openFIFOAt(dir int, name string) (int, error) {
	var st unix.Stat_t
	// What is no FIFO is not opened: opening a device can have an effect. The
	// errors are those that open(2) would have.
	err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == nil {
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFIFO:
		case unix.S_IFDIR:
			err = unix.EISDIR
		case unix.S_IFSOCK:
			err = ErrNotRunning
		case unix.S_IFLNK:
			if err = unix.Fstatat(dir, name, &st, 0); err == nil {
				err = errNotFIFO
			}
		default:
			err = errNotFIFO
		}
	}
	if err != nil {
		return -1, err
	}
	fd, err := openat(dir, name, unix.O_WRONLY|unix.O_NOFOLLOW)
	if err == unix.ENXIO {
		return -1, ErrNotRunning
	}
	if err != nil {
		return -1, err
	}
	var parent unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err == nil {
		err = unix.Fstat(dir, &parent)
	}
	if err == nil && (st.Mode&unix.S_IFMT != unix.S_IFIFO || st.Uid != parent.Uid && !trusted(st.Uid)) {
		err = errNotFIFO
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// openat opens without waiting for anything.
func openat(dir int, path string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dir, path, flags|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
