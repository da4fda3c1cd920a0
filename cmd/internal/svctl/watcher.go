package svctl

import (
	"time"

	"golang.org/x/sys/unix"
)

// watcher waits for changes in state directories. A new status is renamed into the
// directory, which inotify(7) reports. When the supervisor exits, its FIFO ok has no
// reader any more, which poll(2) reports to processes that have it open for writing
// (POLLERR).
type watcher struct {
	fds       []unix.PollFd // inotify, then the ok of each directory
	err       error         // the last error of inotify or of opening an ok
	unwatched []bool        // by number: the directory cannot be watched
}

// newWatcher never fails: without inotify it watches nothing, and err says why.
func newWatcher() *watcher {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		fd = -1 // poll ignores it
	}
	return &watcher{fds: []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, err: err}
}

// add watches a state directory and returns its number. A caller that reads the
// status after add misses no change.
func (w *watcher) add(state string) (n int) {
	n = len(w.unwatched)
	err := w.err
	if err == nil {
		_, err = unix.InotifyAddWatch(int(w.fds[0].Fd), state, unix.IN_MOVED_TO|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_ONLYDIR)
	}
	ok := -1
	if err == nil {
		ok, err = unix.Open(state+"/ok", unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		ok = -1
		w.err = err
	}
	w.unwatched = append(w.unwatched, err != nil)
	w.fds = append(w.fds, unix.PollFd{Fd: int32(ok)})
	return n
}

// isWatched reports whether wait returns on changes in directory n.
func (w *watcher) isWatched(n int) bool { return !w.unwatched[n] }

// poll updates the state for supervisorGone, without waiting.
func (w *watcher) poll() { unix.Poll(w.fds, 0) }

// supervisorGone reports whether the supervisor of directory n had exited at the last
// poll or wait.
func (w *watcher) supervisorGone(n int) bool { return w.fds[n+1].Revents&unix.POLLERR != 0 }

// wait waits for a change, or until end; forever if end is zero.
func (w *watcher) wait(end time.Time) {
	timeout := -1
	if !end.IsZero() {
		// Rounded up, so as not to wake too early and wait again.
		timeout = int(min(max((time.Until(end)+time.Millisecond-1)/time.Millisecond, 0), 1<<30))
	}
	n, err := unix.Poll(w.fds, timeout)
	if err != nil || n == 0 || w.fds[0].Revents == 0 {
		return
	}
	// Discard the events: the caller checks all directories.
	var b [4096]byte
	for {
		if n, err := unix.Read(int(w.fds[0].Fd), b[:]); err != unix.EINTR && (err != nil || n < len(b)/2) {
			return
		}
	}
}

// drop stops watching the supervisor of directory n: after its exit, poll would return
// at once every time.
func (w *watcher) drop(n int) {
	if p := &w.fds[n+1]; p.Fd >= 0 {
		unix.Close(int(p.Fd))
		*p = unix.PollFd{Fd: -1}
	}
}

func (w *watcher) close() {
	for n := range w.unwatched {
		w.drop(n)
	}
	if fd := int(w.fds[0].Fd); fd >= 0 {
		unix.Close(fd)
	}
}
