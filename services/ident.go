package services

import (
	"errors"

	"golang.org/x/sys/unix"
)

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
	// On an overlay a directory is born again when it is first written to.
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) == nil && fs.Type == unix.OVERLAYFS_SUPER_MAGIC {
		x.Btime = unix.StatxTimestamp{}
	}
	return ident{unix.Mkdev(x.Dev_major, x.Dev_minor), x.Ino, uint64(x.Btime.Sec)*1e9 + uint64(x.Btime.Nsec)}, nil
}

// gone reports whether a path no longer leads to the directory id. That it
// cannot be told (no permission, a file system that is ill) is no reason to
// stop a service.
func gone(path string, id ident) bool {
	switch now, err := identify(path); err {
	case nil:
		return now != id
	case errNoDir, unix.ENOENT, unix.ENOTDIR, unix.ELOOP:
		return true
	}
	return false
}
