package chain

import (
	"strconv"

	"svinit/cmd/internal/applet"
)

const setuidgidSynopsis = "setuidgid account child"

// Setuidgid is setuidgid(8).
var Setuidgid = applet.Command{
	Name:     "setuidgid",
	Synopsis: setuidgidSynopsis,
	Summary:  "run a program as another user",
	Section:  8,
	Help: `Becomes the program child, with the user id and the group id that account has in
/etc/passwd, and that group alone. The environment stays as it is.
`,
	Run: func(e *applet.Env) error { return first(e, setuidgid) },
}

func setuidgid(l *link) error {
	if len(l.Args) < 2 {
		return applet.ErrUsage
	}
	uid, gid, err := l.knownAccount()
	if err != nil {
		return err
	}
	err = setGroups([]uint32{gid})
	if err == nil {
		err = setGroup(gid)
	}
	if err != nil {
		return applet.Fatal("unable to setgid", err)
	}
	if err = setUser(uid); err != nil {
		return applet.Fatal("unable to setuid", err)
	}
	return l.exec(l.Args[1:])
}

const envuidgidSynopsis = "envuidgid account child"

// Envuidgid is envuidgid(8).
var Envuidgid = applet.Command{
	Name:     "envuidgid",
	Synopsis: envuidgidSynopsis,
	Summary:  "run a program with a user's ids in its environment",
	Section:  8,
	Help: `Becomes the program child, with the user id and the group id that account has in
/etc/passwd in its environment, as UID and GID. It goes on as the same user.
`,
	Run: func(e *applet.Env) error { return first(e, envuidgid) },
}

func envuidgid(l *link) error {
	if len(l.Args) < 2 {
		return applet.ErrUsage
	}
	uid, gid, err := l.knownAccount()
	if err != nil {
		return err
	}
	l.environ.setIDs(uid, gid)
	return l.exec(l.Args[1:])
}

// knownAccount looks the first argument up.
func (l *link) knownAccount() (uid, gid uint32, err error) {
	uid, gid, found, _ := account(l.Args[0])
	if !found {
		err = applet.Fatal("unknown account "+l.Args[0], nil)
	}
	return uid, gid, err
}

func (e *environment) setIDs(uid, gid uint32) {
	e.set("GID", strconv.FormatUint(uint64(gid), 10))
	e.set("UID", strconv.FormatUint(uint64(uid), 10))
}
