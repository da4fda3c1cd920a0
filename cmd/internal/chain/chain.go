// Package chain is the tools that change something of their process and then
// become the program that the rest of their arguments names: setuidgid,
// envuidgid, envdir, softlimit, setlock, pgrphack and fghack as in
// daemontools, and chpst as in runit.
//
// # One start for a whole chain
//
//	setuidgid web softlimit -m 30000000 envdir ./env httpd
//
// is three starts of the original's small programs. When the next program is
// this very binary under the name of a chain tool, no execve is done: the next
// tool goes on in the same process, with the arguments and the environment
// that it would have been given. This is not for speed alone. A Go program
// cannot start when its address space is limited to less than about a gigabyte
// (RLIMIT_AS) or its data to some dozen megabytes (RLIMIT_DATA), as softlimit's
// users do all the time; so limits are kept until the program that is not ours
// is executed, and nothing of ours has to live within them.
//
// # One thread
//
// User and group ids and the nice level belong to a thread in Linux, and
// execve(2) takes over those of the thread that calls it. They are changed for
// that thread only, which stays locked to the goroutine.
package chain

import "svinit/cmd/internal/applet"

// A link is a tool of a chain, and what the tools before it have left to do.
type link struct {
	*applet.Env
	environ environment
	limits  limits
}

// first runs the tool that the process was started as.
func first(e *applet.Env, run func(*link) error) error {
	return run(&link{Env: e, environ: environment{given: e.Environ()}})
}

// next runs the tool that l's process would have been replaced by. Its exit
// code is in the error; it has said itself what is wrong.
func (l *link) next(name, synopsis string, run func(*link) error, args []string) error {
	environ := l.environ.merged()
	inner := *l.Env
	inner.Name, inner.Args = name, args
	inner.Getenv = func(name string) string { value, _ := lookup(environ, name); return value }
	inner.Environ = func() []string { return environ }
	command := applet.Command{Synopsis: synopsis, Run: func(e *applet.Env) error {
		return run(&link{Env: e, environ: environment{given: environ}, limits: l.limits})
	}}
	if code := command.Main(&inner); code != 0 {
		return applet.Silent(code)
	}
	return nil
}

// tool returns the tool of that name; run is nil when there is none. It is a
// switch since a table of functions that look themselves up in it would be
// laid out at start.
func tool(name string) (synopsis string, run func(*link) error) {
	switch name {
	case "setuidgid":
		return setuidgidSynopsis, setuidgid
	case "envuidgid":
		return envuidgidSynopsis, envuidgid
	case "envdir":
		return envdirSynopsis, envdir
	case "softlimit":
		return softlimitSynopsis, softlimit
	case "setlock":
		return setlockSynopsis, setlock
	case "pgrphack":
		return pgrphackSynopsis, pgrphack
	case "fghack":
		return fghackSynopsis, fghack
	case "chpst":
		return chpstSynopsis, chpst
	}
	return "", nil
}
