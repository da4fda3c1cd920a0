package pid1

import (
	"errors"
	"os"
	"strconv"
	"strings"
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
	text, err := os.ReadFile("/etc/group")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(strings.TrimSuffix(line, "\n"), ":"); len(f) > 2 && f[0] == name {
			return strconv.Atoi(f[2])
		}
	}
	return 0, errors.New("no such group")
}
