package logdir

import (
	"golang.org/x/sys/unix"
)

// Limits of multilog(8).
const (
	MinSize     = 4096     // of a file, in bytes
	MaxSize     = 16777215 //
	DefaultSize = 99999    //
	MinKeep     = 2        // files, current among them
	DefaultKeep = 10       //
)

// Config is how a directory is kept.
type Config struct {
	Size      int     // bytes of a file at most, MinSize to MaxSize
	Keep      uint64  // files at most, current among them; MinKeep or more
	Processor *string // command for sh -c through which finished files go; nil: none
	Environ   []string

	// Pause is called with what could not be done, in daemontools' words ("unable
	// to write to DIR/current"), and why; err may be nil. It waits and
	// returns true to have it tried again, or false to give up.
	Pause func(what string, err error) bool
	// Say is told what a processor that could not be started would say.
	Say func(what string, err error)
}

// Error is why a directory cannot be opened.
type Error struct {
	What string // in daemontools' words: "unable to lock directory DIR"
	Err  error
}

func (e *Error) Error() string { return e.What + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// A Dir is an open directory. It is for one goroutine.
type Dir struct {
	name    string
	config  Config
	fd      int // the directory
	lock    int
	current int
	bytes   int // of current, with what is settled and not yet written

	out   []byte // not yet written
	piece int    // where in out the piece begins that is not settled

	named int64 // the last name's time, in nanoseconds of Unix time
	// After the owner has given up:
	stuck bool  // a rotation stopped on its way
	lost  int64 // bytes dropped
	why   error // of the first of them
	gone  bool  // nothing more can be written
}

// room is the size of out. A read of 64 KiB of 100-byte lines with labels
// fits.
const room = 128 << 10

// Name is the name that Open was given.
func (d *Dir) Name() string { return d.name }

// Open makes the directory if it is missing, locks it, finishes what a killed
// predecessor has left undone, and opens current. The error is an [*Error].
func Open(name string, c Config) (*Dir, error) {
	d := &Dir{name: name, config: c, fd: -1, lock: -1, current: -1}
	if err := d.open(); err != nil {
		for _, fd := range [...]int{d.current, d.lock, d.fd} {
			if fd >= 0 {
				unix.Close(fd)
			}
		}
		return nil, err
	}
	d.out = make([]byte, 0, room)
	return d, nil
}

// Files are opened as daemontools opens them: O_NONBLOCK, lest a FIFO of that
// name stop us.
const flags = unix.O_NONBLOCK | unix.O_CLOEXEC

func (d *Dir) open() (err error) {
	unix.Mkdir(d.name, 0o700)
	if d.fd, err = openat(unix.AT_FDCWD, d.name, unix.O_RDONLY, 0); err == nil {
		// Something else than a directory is known by this.
		err = unix.Faccessat(d.fd, ".", unix.X_OK, 0)
	}
	if err != nil {
		return &Error{"unable to open directory " + d.name, err}
	}
	if d.lock, err = openat(d.fd, "lock", unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT, 0o600); err == nil {
		err = unix.Flock(d.lock, unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		return &Error{"unable to lock directory " + d.name, err}
	}
	var st unix.Stat_t
	err = unix.Fstatat(d.fd, "current", &st, 0)
	if err != nil && err != unix.ENOENT {
		return &Error{"unable to stat " + d.name + "/current", err}
	}
	if err == nil && st.Mode&0o100 != 0 {
		return d.goOn(int(st.Size))
	}
	return d.recover()
}

// goOn appends to a current that was closed well.
func (d *Dir) goOn(size int) (err error) {
	d.current, err = openat(d.fd, "current", unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT, 0o600)
	if err != nil {
		return &Error{"unable to append to " + d.name + "/current", err}
	}
	if err := unix.Fchmod(d.current, 0o644); err != nil {
		return &Error{"unable to set mode of " + d.name + "/current", err}
	}
	d.bytes = size
	return nil
}

// recover finishes what was going on when the last writer was killed.
func (d *Dir) recover() error {
	unix.Unlinkat(d.fd, "state", 0)
	unix.Unlinkat(d.fd, "newstate", 0)
	var st unix.Stat_t
	err := unix.Fstatat(d.fd, "processed", &st, 0)
	if err != nil && err != unix.ENOENT {
		return &Error{"unable to stat " + d.name + "/processed", err}
	}
	if err == nil && st.Mode&0o100 != 0 {
		unix.Unlinkat(d.fd, "previous", 0)
		err = d.finish("processed", "s")
	} else {
		unix.Unlinkat(d.fd, "processed", 0)
		err = d.finish("previous", "u")
	}
	if err == nil {
		err = d.finish("current", "u")
	}
	if err != nil {
		return &Error{"unable to finish what was left in " + d.name, err}
	}
	fd, err := openat(d.fd, "state", unix.O_WRONLY|unix.O_TRUNC|unix.O_CREAT, 0o644)
	if err != nil {
		return &Error{"unable to write to " + d.name + "/state", err}
	}
	unix.Close(fd)
	d.current, err = openat(d.fd, "current", unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT, 0o600)
	if err != nil {
		return &Error{"unable to write to " + d.name + "/current", err}
	}
	if err := unix.Fchmod(d.current, 0o644); err != nil {
		return &Error{"unable to set mode of " + d.name + "/current", err}
	}
	return nil
}

// Close writes what is left, puts it on disk and marks current as closed well,
// unless something was given up. It returns how many bytes could not be
// written and why.
func (d *Dir) Close() (lost int64, why error) {
	d.Flush()
	err := d.again("unable to write "+d.name+"/current to disk", func() error { return unix.Fsync(d.current) })
	if err == nil && !d.stuck && !d.gone {
		d.again("unable to set mode of "+d.name+"/current", func() error { return unix.Fchmod(d.current, 0o744) })
	}
	unix.Close(d.current)
	unix.Close(d.lock)
	unix.Close(d.fd)
	return d.lost, d.why
}

// again does something until it is done or given up.
func (d *Dir) again(what string, do func() error) error {
	for {
		err := do()
		if err == nil {
			return nil
		}
		if err != unix.EINTR && !d.config.Pause(what, err) {
			return err
		}
	}
}

// openat opens a file. Signals of the Go runtime may interrupt it.
func openat(dir int, name string, how int, mode uint32) (fd int, err error) {
	for {
		if fd, err = unix.Openat(dir, name, how|flags, mode); err != unix.EINTR {
			return fd, err
		}
	}
}
