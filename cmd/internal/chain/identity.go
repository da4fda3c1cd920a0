package chain

import (
	"strconv"
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
		n, ok := parseID(field)
		if !ok {
			return 0, nil, false
		}
		if i == 0 {
			uid = n
		} else {
			gids = append(gids, n)
		}
	}
	return uid, gids, true
}

// parseID parses the number of a user or group; no digits are 0. Other than in
// runit a number that is too large is wrong: without its upper bits it could be
// root's.
func parseID(s string) (id uint32, ok bool) {
	if s == "" {
		return 0, true
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}
