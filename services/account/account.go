// Package account finds users and groups in the text of /etc/passwd and
// /etc/group (passwd(5), group(5)), which it reads as the C library does.
// Other sources that nsswitch.conf may name (LDAP, SSS, systemd) are not asked.
package account

import (
	"errors"
	"iter"
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

// Account is a user with what a login sets.
type Account struct {
	Name        string
	UID, GID    uint32
	Home, Shell string // empty where the text has none
}

// Lookup returns the account of a user; ok is false when the text of PasswdFile has
// no such user.
func Lookup(passwd []byte, name string) (a Account, ok bool) {
	for fields := range entries(passwd, 4) {
		if fields[0] == name {
			return newAccount(fields), true
		}
	}
	return a, false
}

// LookupID returns the first account with a user id.
func LookupID(passwd []byte, uid uint32) (a Account, ok bool) {
	for fields := range entries(passwd, 4) {
		if n, _ := id(fields[2]); n == uid {
			return newAccount(fields), true
		}
	}
	return a, false
}

// newAccount takes the fields of passwd(5): name, password, uid, gid, comment,
// home, shell.
func newAccount(fields []string) (a Account) {
	a.Name = fields[0]
	a.UID, _ = id(fields[2])
	a.GID, _ = id(fields[3])
	if len(fields) > 5 {
		a.Home = fields[5]
	}
	if len(fields) > 6 {
		a.Shell = fields[6]
	}
	return a
}

// Memberships returns the ids of the groups that have a user as a member, in the
// order of the text of GroupFile. The user's own group need not be one of them.
func Memberships(group []byte, user string) (gids []uint32) {
	for fields := range entries(group, 3) {
		if len(fields) < 4 {
			continue
		}
		for member := range strings.SplitSeq(fields[3], ",") {
			if strings.TrimSpace(member) == user {
				gid, _ := id(fields[2])
				gids = append(gids, gid)
				break
			}
		}
	}
	return gids
}

// entry returns the first n fields of the first well-formed line of that name:
// name, password, and then ids. It returns nil when there is no such line.
func entry(text []byte, name string, n int) []string {
	for fields := range entries(text, n) {
		if fields[0] == name {
			return fields[:n]
		}
	}
	return nil
}

// entries returns the fields of each well-formed line, at least n: name, password,
// and then ids.
func entries(text []byte, n int) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for line := range strings.Lines(string(text)) {
			line = strings.TrimLeft(strings.TrimSuffix(line, "\n"), " \t")
			if line == "" || strings.ContainsRune("#+-", rune(line[0])) {
				continue
			}
			fields := strings.Split(line, ":")
			if len(fields) >= n && allIDs(fields[2:n]) && !yield(fields) {
				return
			}
		}
	}
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
