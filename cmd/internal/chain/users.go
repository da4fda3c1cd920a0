package chain

import "svinit/services/account"

// lookupUser returns the IDs of the user. found is false if there is no user of that
// name; err is an error reading the file.
func lookupUser(name string) (uid, gid uint32, found bool, err error) {
	text, err := readFile(account.PasswdFile)
	uid, gid, found = account.User(text, name)
	return uid, gid, found, err
}

// lookupGroup returns the ID of the group.
func lookupGroup(name string) (gid uint32, found bool, err error) {
	text, err := readFile(account.GroupFile)
	gid, found = account.Group(text, name)
	return gid, found, err
}
