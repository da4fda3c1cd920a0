// Package svctl is the tools that command and observe services through the
// file system: daemontools' svc, svstat and svok, runit's sv, and svwait.
//
// What they say, where, and with which exit code is daemontools' and runit's,
// to the byte; services of the real supervise and runsv are served as our own.
// Ours alone is where a service is looked for when its argument names no
// directory here, where its state is looked for when its directory cannot be
// written, more letters of svc, the list that svstat makes for people, and
// svwait, which has its letters from s6.
//
// Waiting is for events (vigil.go): a status that is renamed into its place,
// and a supervisor that goes.
package svctl

import (
	"cmp"
	"strings"
	"syscall"

	"svinit/cmd/internal/applet"
	"svinit/services/svdir"
)

// scanDir returns where services are switched on.
func scanDir(e *applet.Env) string {
	return cmp.Or(e.Getenv("SVINIT_SERVICE_DIR"), svdir.ScanDir)
}

// find returns the service directory that an argument means: the directory of
// that name, else, for NAME and NAME/log, the one in the scan directory.
// Errors are those of chdir to the argument, a syscall.Errno.
func find(e *applet.Env, arg string) (dir string, err error) {
	err = enter(arg)
	if err == nil || err != syscall.ENOENT && err != syscall.ENOTDIR {
		return arg, err
	}
	if name := strings.TrimSuffix(arg, "/log"); name == "" || strings.Contains(name, "/") {
		return arg, err
	}
	if there := scanDir(e) + "/" + arg; enter(there) == nil {
		return there, nil
	}
	return arg, err
}

// enter reports what chdir(dir) would: that dir is a directory and may be
// searched. The working directory stays, so that the tools can be tested side
// by side and work where it cannot be read.
func enter(dir string) error {
	if dir == "" {
		return syscall.ENOENT
	}
	var st syscall.Stat_t
	return syscall.Stat(dir+"/.", &st)
}

// probe returns the state directory in which a supervisor listens. The error
// is that of the service directory's own, when none does.
func probe(e *applet.Env, dir string) (state string, err error) {
	state = ownState(dir)
	if err = svdir.ProbeOK(state); err == nil {
		return state, nil
	}
	if other := fallback(e, dir); other != state {
		return other, svdir.ProbeOK(other)
	}
	return state, err
}

// fallback returns the state directory in which a supervisor listens, or into
// which we may not look, when it is not the service directory's own, which it
// returns otherwise.
func fallback(e *applet.Env, dir string) string {
	return svdir.Locate(dir, e.Getenv("SVINIT_STATE_DIR"))
}

// ownState returns the state directory inside the service directory.
func ownState(dir string) string { return dir + "/" + svdir.Supervise }
