package scan

import (
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links a path may go through: the kernel's own
// limit (path_resolution(7)).
const maxLinks = 40

// lookup is a name in a directory on which it depends where a path leads.
type lookup struct{ dir, name string }

// walk resolves a path as the kernel does. The part of path up to from, a
// directory without a slash at its end or "", is known to contain no link. It
// returns the lookups whose result can change where path leads: each symbolic
// link, and last the first name that is missing or is not a directory. If path
// leads to a directory, end is the path of that directory without links.
func walk(from, path string) (lookups []lookup, end string) {
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
		var st unix.Stat_t
		err := unix.Lstat(next, &st)
		if err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
			cur = next
			continue
		}
		lookups = append(lookups, lookup{max(cur, "/"), name})
		if err != nil || st.Mode&unix.S_IFMT != unix.S_IFLNK {
			return lookups, ""
		}
		n, err := unix.Readlink(next, target[:])
		if links++; err != nil || links > maxLinks {
			return lookups, ""
		}
		if target[0] == '/' {
			cur = ""
		}
		rest = string(target[:n]) + "/" + rest
	}
	return lookups, max(cur, "/")
}

// resolve returns the directory that path leads to where path is a symbolic
// link, or path itself. A service is run in the resolved directory, because the
// link may be gone while the service still has to stop, or its logger to start
// once more.
func resolve(path string) string {
	var st unix.Stat_t
	if unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		if _, dir := walk("", path); dir != "" {
			return dir
		}
	}
	return path
}
