package svctl

import (
	"time"

	"golang.org/x/sys/unix"
)

// vigil sleeps until something changes in state directories: a status, which
// is renamed into its place, so that inotify(7) tells of it; or that the
// supervisor goes, whose ok then has no reader, of which poll(2) tells those
// who hold it open for writing (POLLERR).
type vigil struct {
	fds   []unix.PollFd // inotify first, then an ok each
	err   error         // why there is no inotify
	blind []bool        // by number: it is not watched
}

// newVigil never fails: without inotify it sees nothing, and err says why.
func newVigil() *vigil {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		fd = -1 // which poll passes over
	}
	return &vigil{fds: []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, err: err}
}

// add watches a state directory and returns its number. Whoever reads the
// status afterwards misses nothing.
func (v *vigil) add(state string) (n int) {
	n = len(v.blind)
	err := v.err
	if err == nil {
		_, err = unix.InotifyAddWatch(int(v.fds[0].Fd), state, unix.IN_MOVED_TO|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_ONLYDIR)
	}
	ok := -1
	if err == nil {
		ok, err = unix.Open(state+"/ok", unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		ok = -1
		v.err = err
	}
	v.blind = append(v.blind, err != nil)
	v.fds = append(v.fds, unix.PollFd{Fd: int32(ok)})
	return n
}

// sees reports whether changes of number n wake.
func (v *vigil) sees(n int) bool { return !v.blind[n] }

// look asks without a sleep.
func (v *vigil) look() { unix.Poll(v.fds, 0) }

// gone reports whether the supervisor of number n had gone when it was last
// asked.
func (v *vigil) gone(n int) bool { return v.fds[n+1].Revents&unix.POLLERR != 0 }

// wait sleeps until something changes, or until end; forever when end is zero.
func (v *vigil) wait(end time.Time) {
	timeout := -1
	if !end.IsZero() {
		// Rounded up: to wake too early would be to go round once more.
		timeout = int(min(max((time.Until(end)+time.Millisecond-1)/time.Millisecond, 0), 1<<30))
	}
	n, err := unix.Poll(v.fds, timeout)
	if err != nil || n == 0 || v.fds[0].Revents == 0 {
		return
	}
	// What has happened is no matter: everything is looked at again.
	var b [4096]byte
	for {
		if n, err := unix.Read(int(v.fds[0].Fd), b[:]); err != unix.EINTR && (err != nil || n < len(b)/2) {
			return
		}
	}
}

// drop ends the interest in number n: a supervisor that has gone would wake us
// for ever.
func (v *vigil) drop(n int) {
	if p := &v.fds[n+1]; p.Fd >= 0 {
		unix.Close(int(p.Fd))
		*p = unix.PollFd{Fd: -1}
	}
}

func (v *vigil) close() {
	for n := range v.blind {
		v.drop(n)
	}
	if fd := int(v.fds[0].Fd); fd >= 0 {
		unix.Close(fd)
	}
}
