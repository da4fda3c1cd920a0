package chain

import (
	"strings"

	"svinit/cmd/internal/applet"
)

// maxGroups is the largest number of groups for chpst.
const maxGroups = 60

// parseIdentity parses the user and groups in -u and -U of chpst:
//
//	user                 the user's own group
//	user:group:group...  groups by name
//	:uid:gid:gid...      numbers; an empty one is 0
//
// It returns at least one group, of which the first is the primary group.
func parseIdentity(s string) (uid uint32, gids []uint32, err error) {
	numbers, ok := strings.CutPrefix(s, ":")
	if ok {
		uid, gids, ok = parseNumericIdentity(numbers)
		if !ok {
			return 0, nil, applet.Fatal("invalid uid/gids: "+numbers, nil)
		}
		return uid, gids, nil
	}
	name, groups, listed := strings.Cut(s, ":")
	uid, gid, found, err := lookupUser(name)
	if found && !listed {
		return uid, []uint32{gid}, nil
	}
	for found {
		var name string
		name, groups, listed = strings.Cut(groups, ":")
		gid, found, err = lookupGroup(name)
		if gids = append(gids, gid); found && (!listed || len(gids) == maxGroups) {
			return uid, gids, nil
		}
	}
	if err != nil {
		return 0, nil, applet.Fatal("unable to get password/group file entry", err)
	}
	return 0, nil, applet.Fatal("unknown user/group: "+s, nil)
}

func parseNumericIdentity(s string) (uid uint32, gids []uint32, ok bool) {
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
