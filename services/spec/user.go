package spec

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"svinit/services/account"
)

// User is as whom a service runs.
type User struct {
	UID, GID uint32
	Groups   []uint32 // all of its groups, GID first
	// Name is empty for a number that no account has, and then Home and Shell are
	// "/" and "/bin/sh".
	Name, Home, Shell string
}

// maxAccounts is the size of the largest list of users or groups that is read.
const maxAccounts = 4 << 20

// userExample is a right content of the file user.
const userExample = "www-data, or www-data:www-data, or 33:33"

// readUser reads the file user. With a wrong one the service stays down: it would
// have the rights of svinit.
func (r *execReader) readUser(name string) {
	value, ok := r.value(name, true, userExample)
	if !ok {
		return
	}
	passwd, perr := readUpTo(account.PasswdFile, maxAccounts)
	group, gerr := readUpTo(account.GroupFile, maxAccounts)
	user, err := parseUser(value, passwd, group)
	for _, rerr := range []error{perr, gerr} {
		// An image without accounts can have services with numbers.
		if rerr != nil && (err != nil || !errors.Is(rerr, os.ErrNotExist)) {
			r.wrong(name, 1, true, "unable to look up %s: %w", quote(value), rerr)
			return
		}
	}
	if err != nil {
		r.wrong(name, 1, true, "%w: write %s", err, userExample)
		return
	}
	r.User = user
}

// parseUser parses USER or USER:GROUP, each a name or a number. passwd and group
// are the texts of the system's files.
func parseUser(s string, passwd, group []byte) (*User, error) {
	name, groupName, hasGroup := strings.Cut(s, ":")
	a, known := account.Lookup(passwd, name)
	if !known {
		uid, err := parseID(name)
		if err != nil {
			return nil, fmt.Errorf("there is no user %s in %s", quote(name), account.PasswdFile)
		}
		if a, known = account.LookupID(passwd, uid); !known {
			a = account.Account{UID: uid, Home: "/"}
		}
	}
	if !known && !hasGroup {
		return nil, fmt.Errorf("no account in %s has the number %s, which therefore needs a group", account.PasswdFile, name)
	}
	u := &User{UID: a.UID, GID: a.GID, Name: a.Name, Home: a.Home, Shell: a.Shell}
	if hasGroup {
		gid, ok := account.Group(group, groupName)
		if !ok {
			n, err := parseID(groupName)
			if err != nil {
				return nil, fmt.Errorf("there is no group %s in %s", quote(groupName), account.GroupFile)
			}
			gid = n
		}
		u.GID = gid
	}
	if u.UID == noID || u.GID == noID {
		return nil, fmt.Errorf("%d is no number of a user or group", noID)
	}
	if u.Home == "" {
		u.Home = "/"
	}
	if u.Shell == "" {
		u.Shell = "/bin/sh" // passwd(5)
	}
	u.Groups = []uint32{u.GID}
	if u.Name != "" {
		for _, gid := range account.Memberships(group, u.Name) {
			if gid != noID && !slices.Contains(u.Groups, gid) {
				u.Groups = append(u.Groups, gid)
			}
		}
	}
	return u, nil
}

// noID is the number that system calls take for "unchanged": with it a service
// would keep the user of svinit.
const noID = ^uint32(0)

func parseID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}
