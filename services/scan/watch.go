package scan

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watcher reports changes in directories, through inotify(7). It belongs to
// the goroutine of the Scanner. What it watches is kept by entry: the name of an
// entry of the scan directory, or wayKey.
type watcher struct {
	fd     int
	buf    []byte
	dirs   map[int32][]interest // by watch descriptor
	wds    map[string][]int32   // by entry
	scanWD int32                // of the scan directory itself, -1 for none
}

// interest is that an entry depends on a name in a watched directory.
type interest struct{ name, entry string }

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
		fd:     fd,
		dirs:   make(map[int32][]interest),
		wds:    make(map[string][]int32),
		scanWD: -1,
	}, nil
}

func (w *watcher) close() { unix.Close(w.fd) }

// watchScan watches the scan directory itself. Errors: those of
// inotify_add_watch(2), wrapped.
func (w *watcher) watchScan(dir string) error {
	wd, err := unix.InotifyAddWatch(w.fd, dir, watchMask)
	if err != nil {
		return &os.PathError{Op: "watch", Path: dir, Err: err}
	}
	old := w.scanWD
	w.scanWD = int32(wd)
	if old != w.scanWD && old >= 0 {
		w.unwatch(old) // the scan directory has been replaced
	}
	return nil
}

// follow watches, for an entry, everything that decides where path leads, and
// where these files in the directory that it leads to do: the file itself, each
// symbolic link on the way, and what is missing. What the entry followed before
// and does not depend on now is forgotten. mask is added to the events: a
// service may write into its own directory all day, so writes wake the Scanner
// only where mask asks for them.
//
// path begins with scan, the scan directory, which is watched already and is
// not resolved again; scan is "" for the path of the scan directory itself.
//
// fresh reports whether a directory was not watched before: it may have changed
// after it was last looked at and before it was watched, so the entry must be
// looked at once more. Errors: ENOSPC when the user has no more watches
// (inotify(7)). A directory that may not be watched is left out.
func (w *watcher) follow(entry, scan string, mask uint32, path string, files ...string) (fresh bool, err error) {
	before := w.wds[entry]
	delete(w.wds, entry)
	for _, wd := range before {
		w.lose(wd, entry)
	}
	lookups, dir := walk(scan, path)
	if dir != "" {
		dir = strings.TrimSuffix(dir, "/")
		for _, file := range files {
			more, _ := walk(dir, dir+file)
			lookups = append(lookups, more...)
		}
	}
	wd := -1
	for i, l := range lookups {
		if l.dir == scan {
			continue
		}
		if i == 0 || l.dir != lookups[i-1].dir {
			var aerr error
			if wd, aerr = unix.InotifyAddWatch(w.fd, l.dir, watchMask|mask); aerr == unix.ENOSPC {
				err = aerr
			}
		}
		if wd < 0 {
			continue
		}
		wd := int32(wd)
		w.dirs[wd] = append(w.dirs[wd], interest{l.name, entry})
		if !slices.Contains(w.wds[entry], wd) {
			w.wds[entry] = append(w.wds[entry], wd)
		}
		fresh = fresh || !slices.Contains(before, wd)
	}
	// Only now, because a directory that stays watched must not lose its watch,
	// and the events with it, in between.
	for _, wd := range before {
		w.unwatch(wd)
	}
	return fresh, err
}

// forget ends what follow began.
func (w *watcher) forget(entry string) {
	for _, wd := range w.wds[entry] {
		w.lose(wd, entry)
		w.unwatch(wd)
	}
	delete(w.wds, entry)
}

// lose ends the interest of an entry in a directory.
func (w *watcher) lose(wd int32, entry string) {
	w.dirs[wd] = slices.DeleteFunc(w.dirs[wd], func(i interest) bool { return i.entry == entry })
}

// unwatch ends the watch of a directory in which no entry has an interest.
func (w *watcher) unwatch(wd int32) {
	if len(w.dirs[wd]) > 0 {
		return
	}
	delete(w.dirs, wd)
	if wd != w.scanWD {
		unix.InotifyRmWatch(w.fd, uint32(wd))
	}
}

// events is what the watcher has read.
type events struct {
	names   map[string]struct{} // names in the scan directory that changed
	entries map[string]struct{} // entries that depend on what changed elsewhere
	all     bool                // more has changed than the other two say
}

// read reads all events that are there. It does not block.
func (w *watcher) read() events {
	if w.buf == nil {
		w.buf = make([]byte, 16<<10)
	}
	ev := events{names: make(map[string]struct{}), entries: make(map[string]struct{})}
	for {
		n, err := unix.Read(w.fd, w.buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return ev
		}
		for b := w.buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			// struct inotify_event, host byte order: wd, mask, cookie, len, name
			// padded with NUL to len.
			raw := (*unix.InotifyEvent)(unsafe.Pointer(&b[0]))
			name, _, _ := bytes.Cut(b[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+int(raw.Len)], []byte{0})
			b = b[unix.SizeofInotifyEvent+int(raw.Len):]
			w.sort(&ev, raw, string(name))
		}
	}
}

// sort adds one event to ev.
func (w *watcher) sort(ev *events, raw *unix.InotifyEvent, name string) {
	switch {
	case raw.Mask&unix.IN_Q_OVERFLOW != 0:
		ev.all = true
	case raw.Wd != w.scanWD:
	case raw.Mask&unix.IN_IGNORED != 0:
		w.scanWD, ev.all = -1, true
	case name == "":
		ev.all = ev.all || raw.Mask&(unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_ATTRIB|unix.IN_UNMOUNT) != 0
	case raw.Mask&(unix.IN_CREATE|unix.IN_DELETE|unix.IN_MOVED_FROM|unix.IN_MOVED_TO|unix.IN_ATTRIB) != 0:
		ev.names[name] = struct{}{}
	}
	for _, i := range w.dirs[raw.Wd] {
		if name == "" || i.name == name {
			ev.entries[i.entry] = struct{}{}
		}
	}
	if raw.Mask&unix.IN_IGNORED != 0 {
		delete(w.dirs, raw.Wd)
	}
}
