package chain

import (
	"strings"

	"svinit/cmd/internal/applet"
)

// maxGroups is how many groups chpst takes.
const maxGroups = 60

// identity reads what -u and -U of chpst say of a user and groups, the first
// of which is the group:
//
//	user                 the user's own group
//	user:group:group...  these by name
//	:uid:gid:gid...      all by number; no digits are 0
//
// There is at least one group.
func identity(s string) (uid uint32, gids []uint32, err error) {
	numbers, ok := strings.CutPrefix(s, ":")
	if ok {
		uid, gids, ok = identityByNumber(numbers)
		if !ok {
			return 0, nil, applet.Fatal("invalid uid/gids: "+numbers, nil)
		}
		return uid, gids, nil
	}
	name, groups, listed := strings.Cut(s, ":")
	uid, gid, found, err := user(name)
	if found && !listed {
		return uid, []uint32{gid}, nil
	}
	for found {
		var one string
		one, groups, listed = strings.Cut(groups, ":")
		gid, found, err = group(one)
		if gids = append(gids, gid); found && (!listed || len(gids) == maxGroups) {
			return uid, gids, nil
		}
	}
	if err != nil {
		return 0, nil, applet.Fatal("unable to get password/group file entry", err)
	}
	return 0, nil, applet.Fatal("unknown user/group: "+s, nil)
}

func identityByNumber(s string) (uid uint32, gids []uint32, ok bool) {
	fields := strings.Split(s, ":")
	if len(fields) < 2 {
		return 0, nil, false
	}
	if len(fields) == maxGroups+2 && fields[maxGroups+1] == "" {
		fields = fields[:maxGroups+1]
	}
	if len(fields) > maxGroups+1 {
		return 0, nil, false
	}
	for i, field := range fields {
		n, ok := parseNumber(field)
		if !ok {
			return 0, nil, false
		}
		if i == 0 {
			uid = uint32(n)
		} else {
			gids = append(gids, uint32(n))
		}
	}
	return uid, gids, true
}
