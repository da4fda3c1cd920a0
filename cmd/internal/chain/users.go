package chain

import (
	"errors"
	"strconv"
	"strings"
)

// Where users and groups are looked up. The originals ask the C library, which
// reads these files and, where nsswitch.conf says so, LDAP, SSS or systemd as
// well: those we do not know.
const (
	passwdFile = "/etc/passwd"
	groupFile  = "/etc/group"
)

// account returns the ids of the user. found is false when there is none of
// that name; err is the file's.
func account(name string) (uid, gid uint32, found bool, err error) {
	fields, err := entry(passwdFile, name, 4)
	if fields == nil {
		return 0, 0, false, err
	}
	uid, _ = id(fields[2])
	gid, _ = id(fields[3])
	return uid, gid, true, nil
}

// group returns the id of the group.
func group(name string) (gid uint32, found bool, err error) {
	fields, err := entry(groupFile, name, 3)
	if fields == nil {
		return 0, false, err
	}
	gid, _ = id(fields[2])
	return gid, true, nil
}

// entry returns the first n fields of the first well-formed line of that name:
// name, password, and then ids (passwd(5), group(5)). Nil is no such line.
func entry(file, name string, n int) (fields []string, err error) {
	data, err := readFile(file)
	if err != nil {
		return nil, err
	}
	text := string(data)
	for line := range strings.Lines(text) {
		line = strings.TrimLeft(strings.TrimSuffix(line, "\n"), " \t")
		if first, _, _ := strings.Cut(line, ":"); first != name || line == "" || strings.ContainsRune("#+-", rune(line[0])) {
			continue
		}
		fields := strings.SplitN(line, ":", n+1)
		if len(fields) >= n && allIDs(fields[2:n]) {
			return fields[:n], nil
		}
	}
	return nil, nil
}

func allIDs(fields []string) bool {
	for _, f := range fields {
		if _, ok := id(f); !ok {
			return false
		}
	}
	return true
}

// id reads a user or group id as the C library does, which takes blanks before
// it, and the greatest for any that is too great.
func id(s string) (n uint32, ok bool) {
	v, err := strconv.ParseUint(strings.TrimLeft(s, " \t\v\f\r"), 10, 32)
	if errors.Is(err, strconv.ErrRange) {
		err = nil
	}
	return uint32(v), err == nil
}
