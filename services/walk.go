package services

import (
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links a path may go through, as the kernel's
// own walk (path_resolution(7)).
const maxLinks = 40

// turn is a name in a directory on which it depends where a path leads.
type turn struct{ dir, name string }

// walk follows a path as the kernel does. What stands in it up to from, a
// directory without a slash at its end or "", is known to be no link. It
// returns the turns that it took, the last of them what is no directory or is
// missing, and, if all are directories, the way there without a link.
func walk(from, path string) (turns []turn, end string) {
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
		turns = append(turns, turn{max(cur, "/"), name})
		if err != nil || st.Mode&unix.S_IFMT != unix.S_IFLNK {
			return turns, ""
		}
		n, err := unix.Readlink(next, target[:])
		if links++; err != nil || links > maxLinks {
			return turns, ""
		}
		if target[0] == '/' {
			cur = ""
		}
		rest = string(target[:n]) + "/" + rest
	}
	return turns, max(cur, "/")
}
