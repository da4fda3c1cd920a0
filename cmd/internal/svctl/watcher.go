package svctl

import (
	"time"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/services/svdir"
)

// watcher waits for changes in state directories. A new status is renamed into the
// directory, which inotify(7) reports. When the supervisor exits, its FIFO ok has no
// reader any more, which poll(2) reports to processes that have it open for writing
// (POLLERR).
//
// It also waits for supervisors: before one listens, directories appear (IN_CREATE), and
// at last it opens ok (IN_OPEN).
type watcher struct {
	fds       []unix.PollFd // inotify, the supervisor of the scan directory, then the ok of each directory
	err       error         // the last error of inotify or of opening an ok
	unwatched []bool        // by number: the directory cannot be watched
	scanner   int           // the process of fds[1]
}

// firstOK is the place of the first ok in fds.
const firstOK = 2

// newWatcher never fails: without inotify it watches nothing, and err says why.
func newWatcher() *watcher {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		fd = -1 // poll ignores it
	}
	return &watcher{fds: []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: -1}}, err: err}
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
		ok, err = svdir.OpenOK(state)
	}
	if err != nil {
		ok = -1
		w.err = err
	}
	w.unwatched = append(w.unwatched, err != nil)
	w.fds = append(w.fds, unix.PollFd{Fd: int32(ok)})
	return n
}

// expect makes wait return when a supervisor may have begun to listen for the service
// directory dir, when it is listed no more, and when the process scanner, the supervisor
// of the scan directory, has exited. A caller that looks for the supervisor after each
// expect and calls it again after each wait misses none.
func (w *watcher) expect(e *applet.Env, dir string, scanner int) {
	if w.fds[0].Fd < 0 {
		return
	}
	const appears = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF
	watch := func(dir string, mask uint32) {
		unix.InotifyAddWatch(int(w.fds[0].Fd), dir, mask|unix.IN_ONLYDIR|unix.IN_MASK_ADD)
	}
	watch(scanDir(e), appears|unix.IN_DELETE|unix.IN_MOVED_FROM)
	// The parents first: a state directory that appears now is reported.
	states, parents := svdir.Surroundings(dir, e.Getenv("SVINIT_STATE_DIR"))
	for _, dir := range parents {
		watch(dir, appears)
	}
	for _, dir := range states {
		watch(dir, appears|unix.IN_OPEN)
	}
	if w.scanner != scanner {
		w.close1(&w.fds[1])
		if fd, err := unix.PidfdOpen(scanner, 0); err == nil {
			w.fds[1] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		}
		w.scanner = scanner
	}
}

// canExpect reports whether wait returns on what expect says.
func (w *watcher) canExpect() bool { return w.fds[0].Fd >= 0 }

// isWatched reports whether wait returns on changes in directory n.
func (w *watcher) isWatched(n int) bool { return !w.unwatched[n] }

// poll updates the state for supervisorGone, without waiting.
func (w *watcher) poll() { unix.Poll(w.fds, 0) }

// supervisorGone reports whether the supervisor of directory n had exited at the last
// poll or wait.
func (w *watcher) supervisorGone(n int) bool { return w.fds[n+firstOK].Revents&unix.POLLERR != 0 }

// wait waits for a change, or until end; forever if end is zero.
func (w *watcher) wait(end time.Time) {
	for {
		timeout := -1
		if !end.IsZero() {
			// Rounded up, so as not to wake too early and wait again.
			timeout = int(min(max((time.Until(end)+time.Millisecond-1)/time.Millisecond, 0), 1<<30))
		}
		n, err := unix.Poll(w.fds, timeout)
		if err != nil || n == 0 {
			return
		}
		if w.fds[1].Revents != 0 {
			w.close1(&w.fds[1]) // or poll would return at once every time
			return
		}
		if relevant := w.readEvents(); n > 1 || w.fds[0].Revents == 0 || relevant {
			return
		}
	}
}

// readEvents discards the events of inotify: the caller looks at all directories. It
// reports whether there was one besides those that our own looking causes.
func (w *watcher) readEvents() (relevant bool) {
	var b [4096]byte
	for {
		n, err := unix.Read(int(w.fds[0].Fd), b[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return relevant
		}
		relevant = relevant || hasNews(b[:n])
	}
}

// close1 closes a descriptor, which poll then ignores.
func (w *watcher) close1(p *unix.PollFd) {
	if p.Fd >= 0 {
		unix.Close(int(p.Fd))
		*p = unix.PollFd{Fd: -1}
	}
}

// drop stops watching the supervisor of directory n: after its exit, poll would return
// at once every time.
func (w *watcher) drop(n int) { w.close1(&w.fds[n+firstOK]) }

func (w *watcher) close() {
	for n := range w.fds {
		w.close1(&w.fds[n])
	}
}
