// Package account finds users and groups in the text of /etc/passwd and
// /etc/group (passwd(5), group(5)), which it reads as the C library does.
// Other sources that nsswitch.conf may name (LDAP, SSS, systemd) are not asked.
package account

import (
	"errors"
	"strconv"
	"strings"
)

// Where the texts for User and Group are.
const (
	PasswdFile = "/etc/passwd"
	GroupFile  = "/etc/group"
)

// User returns the ids of a user; ok is false when the text of PasswdFile has
// no such user.
func User(passwd []byte, name string) (uid, gid uint32, ok bool) {
	fields := entry(passwd, name, 4)
	if fields == nil {
		return 0, 0, false
	}
	uid, _ = id(fields[2])
	gid, _ = id(fields[3])
	return uid, gid, true
}

// Group returns the id of a group; ok is false when the text of GroupFile has
// no such group.
func Group(group []byte, name string) (gid uint32, ok bool) {
	fields := entry(group, name, 3)
	if fields == nil {
		return 0, false
	}
	gid, _ = id(fields[2])
	return gid, true
}

// entry returns the first n fields of the first well-formed line of that name:
// name, password, and then ids. It returns nil when there is no such line.
func entry(text []byte, name string, n int) []string {
	for line := range strings.Lines(string(text)) {
		line = strings.TrimLeft(strings.TrimSuffix(line, "\n"), " \t")
		if first, _, _ := strings.Cut(line, ":"); first != name || line == "" || strings.ContainsRune("#+-", rune(line[0])) {
			continue
		}
		fields := strings.SplitN(line, ":", n+1)
		if len(fields) >= n && allIDs(fields[2:n]) {
			return fields[:n]
		}
	}
	return nil
}

func allIDs(fields []string) bool {
	for _, f := range fields {
		if _, ok := id(f); !ok {
			return false
		}
	}
	return true
}

// id parses a user or group id as the C library does: it accepts leading
// blanks, and a number that is too great becomes the greatest id.
func id(s string) (n uint32, ok bool) {
	v, err := strconv.ParseUint(strings.TrimLeft(s, " \t\v\f\r"), 10, 32)
	if errors.Is(err, strconv.ErrRange) {
		err = nil
	}
	return uint32(v), err == nil
}
