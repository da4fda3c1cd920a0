package services

import (
	"bytes"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watcher tells of changes in directories, through inotify(7). It belongs to
// the goroutine of the Set.
type watcher struct {
	fd    int
	buf   []byte
	dirs  map[int32][]interest // by watch descriptor
	wds   map[string][]int32   // by who is interested
	scans int32                // the scan directory's own, -1 for none
}

// interest is that somebody wants to know of a name in a watched directory.
type interest struct{ name, who string }

const watchMask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_ATTRIB | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF |
	unix.IN_ONLYDIR | unix.IN_MASK_ADD

// newWatcher returns a watcher whose descriptor fd is non-blocking. Its error
// is that of inotify_init1(2).
func newWatcher() (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, &os.SyscallError{Syscall: "inotify_init1", Err: err}
	}
	return &watcher{
		fd:    fd,
		dirs:  make(map[int32][]interest),
		wds:   make(map[string][]int32),
		scans: -1,
	}, nil
}

func (w *watcher) close() { unix.Close(w.fd) }

// scan watches the scan directory itself.
func (w *watcher) scan(dir string) error {
	wd, err := unix.InotifyAddWatch(w.fd, dir, watchMask)
	if err != nil {
		return &os.PathError{Op: "watch", Path: dir, Err: err}
	}
	old := w.scans
	w.scans = int32(wd)
	if old != w.scans && old >= 0 {
		w.unwatch(old) // it has been replaced
	}
	return nil
}

// follow has who hear of changes to what decides where the paths lead:
// the file at the end, each symbolic link on the way, and what is missing.
// What who followed before and is not in the paths is forgotten. A service may
// write into its own directory all day, so that a file was written to wakes us
// only where mask asks for it.
//
// The paths begin with scan, the scan directory, which is watched already and
// is not looked at again; scan is "" for the way to itself.
//
// It reports whether a directory was not watched before: what was known of it
// may have changed meanwhile, and must be looked at once more. Errors: ENOSPC
// when there are no more watches to be had (inotify(7)); a directory that may
// not be watched is passed over.
func (w *watcher) follow(who, scan string, mask uint32, paths ...string) (fresh bool, err error) {
	before := w.wds[who]
	delete(w.wds, who)
	for _, wd := range before {
		w.lose(wd, who)
	}
	for _, path := range paths {
		turns, _ := walk(scan, path)
		for _, p := range turns {
			if p.dir == scan {
				continue
			}
			n, aerr := unix.InotifyAddWatch(w.fd, p.dir, watchMask|mask)
			if aerr != nil {
				if aerr == unix.ENOSPC {
					err = aerr
				}
				continue
			}
			wd := int32(n)
			w.dirs[wd] = append(w.dirs[wd], interest{p.name, who})
			if !slices.Contains(w.wds[who], wd) {
				w.wds[who] = append(w.wds[who], wd)
			}
			fresh = fresh || !slices.Contains(before, wd)
		}
	}
	// Only now, so that what has happened in a directory that stays watched is
	// not lost with its watch.
	for _, wd := range before {
		w.unwatch(wd)
	}
	return fresh, err
}

// forget ends what follow began.
func (w *watcher) forget(who string) {
	for _, wd := range w.wds[who] {
		w.lose(wd, who)
		w.unwatch(wd)
	}
	delete(w.wds, who)
}

// lose ends the interest of who in a directory.
func (w *watcher) lose(wd int32, who string) {
	w.dirs[wd] = slices.DeleteFunc(w.dirs[wd], func(i interest) bool { return i.who == who })
}

// unwatch ends the watch of a directory in which nobody has an interest.
func (w *watcher) unwatch(wd int32) {
	if len(w.dirs[wd]) > 0 {
		return
	}
	delete(w.dirs, wd)
	if wd != w.scans {
		unix.InotifyRmWatch(w.fd, uint32(wd))
	}
}

// changes reads what has happened: names in the scan directory, who else was
// interested in what changed, and whether more has changed than can be told,
// so that everything must be looked at.
func (w *watcher) changes() (names, who map[string]struct{}, all bool) {
	if w.buf == nil {
		w.buf = make([]byte, 16<<10)
	}
	names, who = make(map[string]struct{}), make(map[string]struct{})
	for {
		n, err := unix.Read(w.fd, w.buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return names, who, all
		}
		for b := w.buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			// struct inotify_event, host byte order: wd, mask, cookie, len, name
			// padded with NUL to len.
			ev := (*unix.InotifyEvent)(unsafe.Pointer(&b[0]))
			name, _, _ := bytes.Cut(b[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+int(ev.Len)], []byte{0})
			b = b[unix.SizeofInotifyEvent+int(ev.Len):]
			switch {
			case ev.Mask&unix.IN_Q_OVERFLOW != 0:
				all = true
			case ev.Wd != w.scans:
			case ev.Mask&unix.IN_IGNORED != 0:
				w.scans, all = -1, true
			case len(name) == 0:
				all = all || ev.Mask&(unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_ATTRIB|unix.IN_UNMOUNT) != 0
			case ev.Mask&(unix.IN_CREATE|unix.IN_DELETE|unix.IN_MOVED_FROM|unix.IN_MOVED_TO|unix.IN_ATTRIB) != 0:
				names[string(name)] = struct{}{}
			}
			for _, i := range w.dirs[ev.Wd] {
				if len(name) == 0 || i.name == string(name) {
					who[i.who] = struct{}{}
				}
			}
			if ev.Mask&unix.IN_IGNORED != 0 {
				delete(w.dirs, ev.Wd)
			}
		}
	}
}
