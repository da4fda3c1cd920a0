package scan

import (
	"errors"

	"golang.org/x/sys/unix"

	"svinit/services/spec"
)

// errNotDir is an entry that is no service directory.
var errNotDir = errors.New("not a directory")

// identify returns the identity of the directory that path leads to, when it
// was changed (st_ctim), in ns, and its silentKind. Errors: those of stat(2), errNotDir.
func identify(path string) (id spec.Identity, changed int64, kind string, err error) {
	var x unix.Statx_t
	err = unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_TYPE|unix.STATX_INO|unix.STATX_CTIME|unix.STATX_BTIME, &x)
	if err == unix.ENOSYS || err == unix.EPERM { // an old kernel, or a seccomp profile
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			return id, 0, "", err
		}
		x.Mode, x.Ino = uint16(st.Mode), st.Ino
		x.Ctime = unix.StatxTimestamp{Sec: st.Ctim.Sec, Nsec: uint32(st.Ctim.Nsec)}
		x.Dev_major, x.Dev_minor = unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev))
	} else if err != nil {
		return id, 0, "", err
	}
	if x.Mode&unix.S_IFMT != unix.S_IFDIR {
		return id, 0, "", errNotDir
	}
	// overlayfs copies a directory of a lower layer when it is first written to,
	// and the copy has another time of birth.
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) == nil {
		kind = kindOf(uint32(fs.Type), unix.Mkdev(x.Dev_major, x.Dev_minor))
		if fs.Type == unix.OVERLAYFS_SUPER_MAGIC {
			x.Btime = unix.StatxTimestamp{}
		}
	}
	id = spec.Identity{
		Dev:  unix.Mkdev(x.Dev_major, x.Dev_minor),
		Ino:  x.Ino,
		Born: uint64(x.Btime.Sec)*1e9 + uint64(x.Btime.Nsec),
	}
	return id, x.Ctime.Sec*1e9 + int64(x.Ctime.Nsec), kind, nil
}
