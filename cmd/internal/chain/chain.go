// Package chain has the chain-loading tools, which change the state of their
// process and then execute the program in the rest of their arguments:
// setuidgid, envuidgid, envdir, softlimit, setlock, pgrphack and fghack as in
// daemontools, and chpst as in runit.
//
// # One start for a whole chain
//
//	setuidgid web softlimit -m 30000000 envdir ./env httpd
//
// starts three of the original's small programs before httpd. If the next
// program is this same binary under the name of a chain tool, we do not call
// execve: the next tool runs in the same process, with the arguments and the
// environment that it would have got. This is not only for speed. A Go program
// cannot start if its address space (RLIMIT_AS) is limited to less than about a
// gigabyte, or its data (RLIMIT_DATA) to some dozen megabytes, as is usual with
// softlimit. Therefore limits are set immediately before the execve of a program
// that is not ours, and nothing of ours runs within them.
//
// # One thread
//
// In Linux, user and group IDs and the nice level belong to a thread, and
// execve(2) keeps those of the calling thread. They are changed for that thread
// only; the goroutine stays locked to it.
package chain

import "svinit/cmd/internal/applet"

// A stage is one tool of a chain, with the changes that the tools before it have
// deferred.
type stage struct {
	*applet.Env
	environ environment
	limits  limits
}

// runFirst runs the tool that the process was started as.
func runFirst(e *applet.Env, run func(*stage) error) error {
	return run(&stage{Env: e, environ: environment{inherited: e.Environ()}})
}

// runInProcess runs the next tool of the chain in this process instead of
// executing it. It has already reported its error; the returned one has its exit
// code.
func (s *stage) runInProcess(name, synopsis string, run func(*stage) error, args []string) error {
	environ := s.environ.merged()
	inner := *s.Env
	inner.Name, inner.Args = name, args
	inner.Getenv = func(name string) string { value, _ := lookupEnv(environ, name); return value }
	inner.Environ = func() []string { return environ }
	command := applet.Command{Synopsis: synopsis, Run: func(e *applet.Env) error {
		return run(&stage{Env: e, environ: environment{inherited: environ}, limits: s.limits})
	}}
	if code := command.Main(&inner); code != 0 {
		return applet.Silent(code)
	}
	return nil
}

// findTool returns the tool of that name; run is nil if there is none. It is a
// switch because these functions call findTool, and a table of them would be an
// initialization cycle.
func findTool(name string) (synopsis string, run func(*stage) error) {
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
