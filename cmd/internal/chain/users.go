package chain

import "svinit/services/account"

// user returns the ids of the user. found is false when there is none of that
// name; err is the file's.
func user(name string) (uid, gid uint32, found bool, err error) {
	text, err := readFile(account.PasswdFile)
	uid, gid, found = account.User(text, name)
	return uid, gid, found, err
}

// group returns the id of the group.
func group(name string) (gid uint32, found bool, err error) {
	text, err := readFile(account.GroupFile)
	gid, found = account.Group(text, name)
	return gid, found, err
}
