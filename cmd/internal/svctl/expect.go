package svctl

import (
	"time"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/reaper/proc"
	"svinit/services/svdir"
)

// expects reports whether the service directory dir, which nobody supervises, is about to
// be supervised: it is listed in the scan directory, whose supervisor runs and has not
// released it. Right after the start of a container that is so for every service, and a
// tool that waits must not take it for "never". pid is the supervisor of the scan
// directory.
func expects(e *applet.Env, dir string) (pid int, ok bool) {
	entry := listedAs(e, dir)
	if entry == "" {
		return 0, false
	}
	pid = svdir.ScanDirSupervisor(scanDir(e))
	if pid == 0 && proc.Name(1) == "svinit" { // it may not have come to announce itself
		pid = 1
	}
	if pid == 0 {
		return 0, false
	}
	for _, state := range svdir.States(dir, e.Getenv("SVINIT_STATE_DIR")) {
		if released(state, entry, pid) {
			return 0, false
		}
	}
	return pid, true
}

// released reports whether the supervisor pid has released the service, as after svc -x:
// the last record says so, and is of a time when the supervisor ran and the service was
// listed by this entry. A record of an earlier container may say so too.
func released(state, entry string, pid int) bool {
	s, err := svdir.ReadStatus(state)
	if err != nil || s.Flags&svdir.FlagReleased == 0 {
		return false
	}
	var record, listed unix.Stat_t
	if unix.Stat(state+"/status", &record) != nil || unix.Lstat(entry, &listed) != nil {
		return false
	}
	written := time.Unix(record.Mtim.Unix())
	return !written.Before(startTime(pid)) && !written.Before(time.Unix(listed.Ctim.Unix()))
}

// startTime returns when a process was started, to a hundredth of a second; long ago if
// that cannot be found out.
func startTime(pid int) time.Time {
	p, err := proc.Read(pid)
	var boot unix.Timespec
	if err != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil {
		return time.Time{}
	}
	const tick = time.Second / 100 // USER_HZ is 100 on all architectures that Go has
	return time.Now().Add(time.Duration(p.Start)*tick - time.Duration(boot.Nano()))
}
