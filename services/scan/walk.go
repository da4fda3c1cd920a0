package scan

import (
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links a path may go through: the kernel's own
// limit (path_resolution(7)).
const maxLinks = 40

// lookup is a name in a directory on which it depends where a path leads.
type lookup struct {
	dir, name string
	isDir     bool // the name is a directory: only its removal and its renaming matter
}

// walk resolves a path as the kernel does. The part of path up to from, a
// directory without a slash at its end or "", is known to contain no link. It
// returns the lookups whose result can change where path leads: each symbolic
// link and each directory, and last the first name that is missing or is not a
// directory. If path leads to a directory, end is the path of that directory
// without links. c notes how far it is, and may keep it from going on: the error
// is errUnknown, otherwise one of lstat(2) and readlink(2), or nil.
func walk(c *call, from, path string) (lookups []lookup, end string, err error) {
	cur, rest := from, path[len(from):] // cur is "" for the root
	var target [unix.PathMax]byte
	for links := 0; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		switch name {
		case "", ".":
			continue
		case "..":
			cur = cur[:max(strings.LastIndexByte(cur, '/'), 0)]
			continue
		}
		next := cur + "/" + name
		mode, dev, err := lstat(next)
		if err == nil && !c.enter(next, dev) {
			return lookups, "", errUnknown
		}
		isDir := err == nil && mode&unix.S_IFMT == unix.S_IFDIR
		lookups = append(lookups, lookup{max(cur, "/"), name, isDir})
		if isDir {
			cur = next
			continue
		}
		if err != nil || mode&unix.S_IFMT != unix.S_IFLNK {
			return lookups, "", err
		}
		n, err := unix.Readlink(next, target[:])
		if links++; err != nil || links > maxLinks {
			return lookups, "", err
		}
		if target[0] == '/' {
			cur = ""
		}
		rest = string(target[:n]) + "/" + rest
	}
	return lookups, max(cur, "/"), nil
}

// lstat is lstat(2) without asking the server of a network file system again, so
// that it does not hang for a mount point that was found already.
func lstat(path string) (mode uint32, dev uint64, err error) {
	var x unix.Statx_t
	const flags = unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT | unix.AT_STATX_DONT_SYNC
	err = unix.Statx(unix.AT_FDCWD, path, flags, unix.STATX_TYPE, &x)
	if err == unix.ENOSYS || err == unix.EPERM { // an old kernel, or a seccomp profile
		var st unix.Stat_t
		err := unix.Lstat(path, &st)
		return st.Mode, uint64(st.Dev), err
	}
	return uint32(x.Mode), unix.Mkdev(x.Dev_major, x.Dev_minor), err
}
