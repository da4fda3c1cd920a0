// Package svctl has the tools that control and observe services through the file
// system: daemontools' svc, svstat and svok, runit's sv, svwait, and svinit zombies.
//
// Their output and exit codes are those of daemontools and runit, to the byte. They
// also work on services of the real supervise and runsv. Additions of ours are the
// lookup of services by name in the scan directory, the fallback state directory, more
// letters of svc, the list of svstat without arguments, and svwait, with the letters of
// s6-svwait.
//
// The tools wait for events (watcher.go): a new status, or the exit of a supervisor.
package svctl

import (
	"syscall"

	"svinit/cmd/internal/applet"
	"svinit/services/svdir"
)

// findState returns the state directory in which a supervisor listens. The error is that
// of the state directory inside the service directory, or of the fallback if there is one.
func findState(e *applet.Env, dir string) (state string, err error) {
	return svdir.Locate(dir, e.Getenv("SVINIT_STATE_DIR"))
}

// isNormallyUp reports whether a service is started when its supervision
// begins: whether it has no file down. Errors are those of stat(2), a
// syscall.Errno.
func isNormallyUp(dir string) (bool, error) {
	var st syscall.Stat_t
	err := syscall.Stat(dir+"/down", &st)
	if err == syscall.ENOENT {
		return true, nil
	}
	return false, err
}
