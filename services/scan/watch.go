package scan

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// watcher reports changes in directories. A directory that is added twice has
// one id, and is watched for what either asked for.
type watcher interface {
	// add watches a directory. It may be called by any goroutine. Errors:
	// lasting ones (see lasting), others that concern this directory.
	add(dir string, what mask) (id int32, err error)
	remove(id int32)
	// read returns what has happened, and does not block.
	read() []event
	close()
}

// mask is what is watched for in a directory.
type mask uint8

const (
	changes mask = 1 << iota // something was made, removed or renamed, or its mode was changed
	moves                    // the directory itself was removed or renamed
	writes                   // a file was written
)

// event is that something has happened in a watched directory.
type event struct {
	id    int32  // -1: anywhere
	name  string // "": to anything in the directory, or to the directory itself
	ended bool   // it is no longer watched
}

// lasting reports whether an error of a watcher will come again: there are no
// more watches, or a filter of system calls.
func lasting(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS)
}

// watches is what is watched, and for which entries. It belongs to the
// goroutine of the Scanner. What it watches is kept by entry: the name of an
// entry of the scan directory, wayKey or overKey.
type watches struct {
	watcher
	add   func(dir string, what mask) (id int32, err error) // of watcher, perhaps with a deadline
	dirs  map[int32][]interest                              // by id
	ids   map[string][]int32                                // by entry
	above map[lookup]struct{}                               // the interests of overKey
	scan  int32                                             // the id of the scan directory itself, -1 for none
}

// interest is that an entry depends on a name in a watched directory.
type interest struct{ name, entry string }

func newWatches(w watcher) *watches {
	return &watches{
		watcher: w,
		add:     w.add,
		dirs:    make(map[int32][]interest),
		ids:     make(map[string][]int32),
		above:   make(map[lookup]struct{}),
		scan:    -1,
	}
}

// watchScan watches the scan directory itself. Errors: those of watcher.add.
func (w *watches) watchScan(dir string) error {
	id, err := w.add(dir, changes)
	if err != nil {
		return err
	}
	old := w.scan
	w.scan = id
	if old != id && old >= 0 {
		w.unwatch(old) // the scan directory has been replaced
	}
	return nil
}

// follow watches, for an entry, everything on which lookups depend, except in
// the scan directory, which is watched already. What the entry followed before
// and does not depend on now is forgotten. what is added to what is watched for:
// a service may write into its own directory all day, so writes wake the Scanner
// only for entries that need it.
//
// fresh reports whether a directory was not watched before: it may have changed
// after it was last looked at and before it was watched, so the entry must be
// looked at once more. The error is a lasting one. A directory that may not be
// watched is left out.
func (w *watches) follow(entry, scan string, what mask, lookups ...[]lookup) (fresh bool, err error) {
	before := w.ids[entry]
	delete(w.ids, entry)
	for _, id := range before {
		w.lose(id, entry)
	}
	for _, some := range lookups {
		id, last := int32(-1), ""
		for _, l := range some {
			if l.dir == scan {
				continue
			}
			if l.isDir {
				w.watchAbove(l)
				continue
			}
			if l.dir != last {
				last = l.dir
				var aerr error
				if id, aerr = w.add(l.dir, changes|what); aerr != nil {
					if id = -1; lasting(aerr) {
						err = aerr
					}
				}
			}
			if id < 0 {
				continue
			}
			w.dirs[id] = append(w.dirs[id], interest{l.name, entry})
			if !slices.Contains(w.ids[entry], id) {
				w.ids[entry] = append(w.ids[entry], id)
			}
			fresh = fresh || !slices.Contains(before, id)
		}
	}
	// Only now, because a directory that stays watched must not lose its watch,
	// and the events with it, in between.
	for _, id := range before {
		w.unwatch(id)
	}
	return fresh, err
}

// watchAbove watches for the removal and renaming of a directory on the way to
// an entry, and not of what is in it: that may change all the time, as in /tmp.
// These directories are few and shared by the entries, so they are
// watched until one of them goes: see sort.
func (w *watches) watchAbove(l lookup) {
	if _, ok := w.above[l]; ok {
		return
	}
	if id, err := w.add(strings.TrimSuffix(l.dir, "/")+"/"+l.name, moves); err == nil {
		w.above[l] = struct{}{}
		w.dirs[id] = append(w.dirs[id], interest{"", overKey})
		w.ids[overKey] = append(w.ids[overKey], id)
	}
}

// forget ends what follow began.
func (w *watches) forget(entry string) {
	for _, id := range w.ids[entry] {
		w.lose(id, entry)
		w.unwatch(id)
	}
	delete(w.ids, entry)
}

// lose ends the interest of an entry in a directory.
func (w *watches) lose(id int32, entry string) {
	w.dirs[id] = slices.DeleteFunc(w.dirs[id], func(i interest) bool { return i.entry == entry })
}

// unwatch ends the watch of a directory in which no entry has an interest.
func (w *watches) unwatch(id int32) {
	if len(w.dirs[id]) > 0 {
		return
	}
	delete(w.dirs, id)
	if id != w.scan {
		w.remove(id)
	}
}

// happened is what the watches have reported: entries that are to be looked at.
type happened struct {
	names map[string]struct{}
	all   bool // more than these
}

// take returns what has happened. It does not block.
func (w *watches) take() happened {
	h := happened{names: make(map[string]struct{})}
	over := false
	for _, e := range w.read() {
		over = w.sort(&h, e) || over
	}
	if over {
		h.all = true
		clear(w.above)
		w.forget(overKey) // the scan that follows finds out what is above now
	}
	return h
}

// sort adds one event to h. It reports whether a directory above has gone.
func (w *watches) sort(h *happened, e event) (over bool) {
	switch {
	case e.id < 0:
		h.all = true
	case e.id != w.scan:
	case e.name == "" || e.ended:
		h.all = true
	default:
		h.names[e.name] = struct{}{}
	}
	for _, i := range w.dirs[e.id] {
		if e.name != "" && i.name != e.name {
			continue
		}
		switch i.entry {
		case overKey:
			over = true
		case wayKey:
			h.all = true
		default:
			h.names[i.entry] = struct{}{}
		}
	}
	if e.ended {
		if delete(w.dirs, e.id); e.id == w.scan {
			w.scan = -1
		}
	}
	return over
}
