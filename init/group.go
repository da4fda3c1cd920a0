package pid1

import (
	"errors"
	"os"
	"strconv"

	"svinit/services/account"
)

// findGroup returns the number of a group, which is given as a name in
// /etc/group (group(5)) or as a number. For "" it returns 0, the group of root,
// which needs no permission.
func findGroup(name string) (gid int, err error) {
	if name == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	text, err := os.ReadFile(account.GroupFile)
	if err != nil {
		return 0, err
	}
	if n, ok := account.Group(text, name); ok {
		return int(n), nil
	}
	return 0, errors.New("no such group")
}
