package logdir

import (
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/tai64n"
)

// rotate ends current after what is settled, and begins another. When the
// owner gives up, the rotation stays where it is and d is stuck.
func (d *Dir) rotate() {
	d.write(d.piece)
	if d.gone {
		return
	}
	if err := d.turn(); err != nil {
		d.stuck = true
	}
}

// turn is the steps of the package comment.
func (d *Dir) turn() error {
	if err := d.again("unable to write "+d.name+"/current to disk", func() error { return unix.Fsync(d.current) }); err != nil {
		return err
	}
	if err := d.again("unable to rename current to previous in directory "+d.name, func() error {
		return unix.Renameat(d.fd, "current", d.fd, "previous")
	}); err != nil {
		return err
	}
	// The old current stays open until there is a new one: whatever is given
	// up, there is a file to write to.
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

// finish gives a file its last name, if it is there, and removes the oldest.
func (d *Dir) finish(file, code string) error {
	var st unix.Stat_t
	missing := false
	if err := d.again("unable to stat "+d.name+"/"+file, func() error {
		err := unix.Fstatat(d.fd, file, &st, 0)
		if missing = err == unix.ENOENT; missing {
			return nil
		}
		return err
	}); err != nil || missing {
		return err
	}
	// With two links it has its name already, and only the kill came before
	// the unlink.
	if st.Nlink == 1 {
		if err := d.link(file, code); err != nil {
			return err
		}
	}
	if err := d.again("unable to remove "+d.name+"/"+file, func() error { return unix.Unlinkat(d.fd, file, 0) }); err != nil {
		return err
	}
	return d.thin()
}

// link links a file to its last name. Where the name is taken, as by a
// rotation in the same nanosecond, the next nanosecond is as good.
func (d *Dir) link(file, code string) error {
	for {
		d.named = max(d.named+1, time.Now().UnixNano())
		name := label(d.named) + "." + code
		err := unix.Linkat(d.fd, file, d.fd, name, 0)
		if err == nil {
			return nil
		}
		if err != unix.EEXIST && !d.config.Pause("unable to link to "+d.name+"/"+name, err) {
			return err
		}
	}
}

const hex = "0123456789abcdef"

// label is a time as the beginning of a file's name.
func label(nanos int64) string {
	var packed [tai64n.Size]byte
	text := make([]byte, 0, 1+2*tai64n.Size)
	text = append(text, '@')
	for _, b := range tai64n.Append(packed[:0], time.Unix(0, nanos)) {
		text = append(text, hex[b>>4], hex[b&15])
	}
	return string(text)
}

// thin removes the oldest files until there is room for current among Keep.
func (d *Dir) thin() error {
	// daemontools has one sentence for all that can go wrong here.
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

// oldest counts the finished files and names the oldest. Any name with an @
// and 24 bytes more is one, as in daemontools.
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
			if len(name) < 25 || name[0] != '@' {
				continue
			}
			count++
			if oldest == "" || name[:25] < oldest[:25] {
				oldest = name
			}
		}
	}
}
