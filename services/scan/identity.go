package scan

import (
	"errors"

	"golang.org/x/sys/unix"

	"svinit/services/spec"
)

// errNotDir is an entry that is no service directory.
var errNotDir = errors.New("not a directory")

// identify returns the identity of the directory that path leads to. Errors:
// those of stat(2), errNotDir.
func identify(path string) (spec.Identity, error) {
	var x unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_TYPE|unix.STATX_INO|unix.STATX_BTIME, &x)
	if err == unix.ENOSYS || err == unix.EPERM { // an old kernel, or a seccomp profile
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			return spec.Identity{}, err
		}
		x.Mode, x.Ino = uint16(st.Mode), st.Ino
		x.Dev_major, x.Dev_minor = unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev))
	} else if err != nil {
		return spec.Identity{}, err
	}
	if x.Mode&unix.S_IFMT != unix.S_IFDIR {
		return spec.Identity{}, errNotDir
	}
	// overlayfs copies a directory of a lower layer when it is first written to,
	// and the copy has another time of birth.
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) == nil && fs.Type == unix.OVERLAYFS_SUPER_MAGIC {
		x.Btime = unix.StatxTimestamp{}
	}
	return spec.Identity{
		Dev:  unix.Mkdev(x.Dev_major, x.Dev_minor),
		Ino:  x.Ino,
		Born: uint64(x.Btime.Sec)*1e9 + uint64(x.Btime.Nsec),
	}, nil
}

// gone reports whether path no longer leads to the directory id. An error that
// leaves it unknown (no permission, a failing file system) does not count: it
// is no reason to stop a service.
func gone(path string, id spec.Identity) bool {
	switch now, err := identify(path); err {
	case nil:
		return now != id
	case errNotDir, unix.ENOENT, unix.ENOTDIR, unix.ELOOP:
		return true
	}
	return false
}
