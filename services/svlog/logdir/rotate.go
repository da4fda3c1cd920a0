package logdir

import (
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/tai64n"
)

// rotate finishes current after what is settled, and makes another. When
// Pause returns false, the rotation stays incomplete and d is stuck.
func (d *Dir) rotate() {
	d.write(d.piece)
	if d.failed {
		return
	}
	if err := d.steps(); err != nil {
		d.stuck = true
	}
}

// steps takes the steps of a rotation that the package comment lists.
func (d *Dir) steps() error {
	if err := d.again("unable to write "+d.name+"/current to disk", func() error { return unix.Fsync(d.current) }); err != nil {
		return err
	}
	removed := false
	if err := d.again("unable to rename current to previous in directory "+d.name, func() error {
		err := unix.Renameat(d.fd, "current", d.fd, "previous")
		if removed = err == unix.ENOENT; removed {
			return nil // by somebody else: there is nothing to finish
		}
		return err
	}); err != nil {
		return err
	}
	// The old current stays open until there is a new one, so that there is a
	// file to write to when Pause returns false.
	next := -1
	if err := d.again("unable to create "+d.name+"/current", func() (err error) {
		next, err = openat(d.fd, "current", unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT, 0o600)
		return err
	}); err != nil {
		return err
	}
	unix.Close(d.current)
	d.current, d.bytes = next, 0
	if err := d.again("unable to set mode of "+d.name+"/current", func() error { return unix.Fchmod(d.current, 0o644) }); err != nil {
		return err
	}
	if removed {
		return nil
	}
	if err := d.again("unable to set mode of "+d.name+"/previous", func() error {
		return unix.Fchmodat(d.fd, "previous", 0o744, 0)
	}); err != nil {
		return err
	}
	if d.config.Processor == nil {
		return d.finish("previous", "s")
	}
	if err := d.process(); err != nil {
		return err
	}
	return d.finish("processed", "s")
}

// finish gives a file its final name, if it exists, and removes the oldest.
func (d *Dir) finish(file, code string) error {
	var st unix.Stat_t
	missing := false
	if err := d.again("unable to stat "+d.name+"/"+file, func() error {
		err := unix.Fstatat(d.fd, file, &st, unix.AT_SYMLINK_NOFOLLOW)
		if missing = err == unix.ENOENT; missing {
			return nil
		}
		return err
	}); err != nil || missing {
		return err
	}
	// A file with two links has its final name already: a kill came before the
	// unlink.
	if st.Nlink == 1 {
		if err := d.link(file, code); err != nil {
			return err
		}
	}
	if err := d.again("unable to remove "+d.name+"/"+file, func() error { return unix.Unlinkat(d.fd, file, 0) }); err != nil {
		return err
	}
	return d.removeOldest()
}

// link links a file to its final name. Where the name is taken, as by a
// rotation in the same nanosecond, it takes the next nanosecond.
func (d *Dir) link(file, code string) error {
	for {
		d.named = max(d.named+1, time.Now().UnixNano())
		name := string(tai64n.AppendText(nil, time.Unix(0, d.named))) + "." + code
		err := unix.Linkat(d.fd, file, d.fd, name, 0)
		if err == nil {
			return nil
		}
		if err != unix.EEXIST && !d.config.Pause("unable to link to "+d.name+"/"+name, err) {
			return err
		}
	}
}

// removeOldest removes the oldest files until there are fewer than Keep.
func (d *Dir) removeOldest() error {
	// daemontools has the same message for all errors here.
	return d.again("unable to read "+d.name, func() error {
		for {
			oldest, count, err := d.oldest()
			if err != nil || count < d.config.Keep {
				return err
			}
			if err := unix.Unlinkat(d.fd, oldest, 0); err != nil || count == d.config.Keep {
				return err
			}
		}
	})
}

// oldest counts the finished files and returns the name of the oldest. As in
// daemontools, any name of an @ and at least 24 more bytes is a finished file.
func (d *Dir) oldest() (oldest string, count uint64, err error) {
	fd, err := openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return "", 0, err
	}
	defer unix.Close(fd)
	var entries [4096]byte
	var names []string
	for {
		n, err := unix.ReadDirent(fd, entries[:])
		if n <= 0 {
			return oldest, count, err
		}
		_, _, names = unix.ParseDirent(entries[:n], -1, names[:0])
		for _, name := range names {
			if len(name) < tai64n.TextSize || name[0] != '@' {
				continue
			}
			count++
			if oldest == "" || name[:tai64n.TextSize] < oldest[:tai64n.TextSize] {
				oldest = name
			}
		}
	}
}
