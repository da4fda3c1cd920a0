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
	Help: `Executes the program child with the user ID and the group ID of account in
/etc/passwd, and with no other groups. The environment is unchanged.
`,
	Run: func(e *applet.Env) error { return runFirst(e, setuidgid) },
}

func setuidgid(s *stage) error {
	if len(s.Args) < 2 {
		return applet.ErrUsage
	}
	uid, gid, err := s.lookupAccount()
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
	return s.exec(s.Args[1:])
}

const envuidgidSynopsis = "envuidgid account child"

// Envuidgid is envuidgid(8).
var Envuidgid = applet.Command{
	Name:     "envuidgid",
	Synopsis: envuidgidSynopsis,
	Summary:  "run a program with a user's ids in its environment",
	Section:  8,
	Help: `Executes the program child with the user ID and the group ID of account in
/etc/passwd in the environment variables UID and GID. The user is unchanged.
`,
	Run: func(e *applet.Env) error { return runFirst(e, envuidgid) },
}

func envuidgid(s *stage) error {
	if len(s.Args) < 2 {
		return applet.ErrUsage
	}
	uid, gid, err := s.lookupAccount()
	if err != nil {
		return err
	}
	s.environ.setIDs(uid, gid)
	return s.exec(s.Args[1:])
}

// lookupAccount looks up the first argument in /etc/passwd.
func (s *stage) lookupAccount() (uid, gid uint32, err error) {
	uid, gid, found, _ := lookupUser(s.Args[0])
	if !found {
		err = applet.Fatal("unknown account "+s.Args[0], nil)
	}
	return uid, gid, err
}

func (e *environment) setIDs(uid, gid uint32) {
	e.set("GID", strconv.FormatUint(uint64(gid), 10))
	e.set("UID", strconv.FormatUint(uint64(uid), 10))
}
