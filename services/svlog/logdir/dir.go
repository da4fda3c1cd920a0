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

// Config is the limits of a directory and its processor.
type Config struct {
	Size      int      // the most bytes of a file, MinSize to MaxSize
	Keep      uint64   // the most files, current among them; MinKeep or more
	Processor *string  // a command for sh -c that filters finished files; nil: none
	Environ   []string // of the processor

	// Pause is called with what could not be done, in the wording of daemontools
	// ("unable to write to DIR/current"), and why; err may be nil. It waits and
	// returns true to try again, or returns false to give up.
	Pause func(what string, err error) bool
	// Say is called with the message of a processor whose files cannot be
	// opened: in daemontools the child process writes it.
	Say func(what string, err error)
}

// Error is the reason why a directory cannot be opened.
type Error struct {
	What string // in the wording of daemontools: "unable to lock directory DIR"
	Err  error
}

func (e *Error) Error() string { return e.What + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Dir is an open directory. Only one goroutine may use it.
type Dir struct {
	name    string
	config  Config
	fd      int // the directory
	lock    int
	current int
	bytes   int // size of current, with what is settled and not yet written

	out   []byte // not yet written
	piece int    // where the piece that is not settled begins in out

	named int64 // the time in the last file name, in nanoseconds of Unix time
	// After Pause has returned false:
	stuck  bool  // a rotation is incomplete: there is no other
	failed bool  // a write failed: all that follows is dropped
	lost   int64 // the number of bytes dropped
	why    error // the error of that write
}

// room is the size of out in bytes. A read of 64 KiB of 100-byte lines fits
// with its labels.
const room = 128 << 10

// Name is the name that Open was given.
func (d *Dir) Name() string { return d.name }

// Open makes the directory if it is missing, locks it, finishes the rotation
// of a writer that was killed, and opens current. The error is an [*Error].
func Open(name string, c Config) (*Dir, error) {
	d := &Dir{name: name, config: c, fd: -1, lock: -1, current: -1}
	if err := d.open(); err != nil {
		d.Abandon()
		return nil, err
	}
	d.out = make([]byte, 0, room)
	return d, nil
}

// flags are those of every open of a file in the directory. O_NONBLOCK is
// daemontools': the open of a FIFO of that name does not wait. O_NOFOLLOW: who may
// write to the directory must not have us write elsewhere.
const flags = unix.O_NONBLOCK | unix.O_CLOEXEC | unix.O_NOFOLLOW

func (d *Dir) open() (err error) {
	unix.Mkdir(d.name, 0o700)
	if d.fd, err = openFile(unix.AT_FDCWD, d.name, unix.O_RDONLY|flags&^unix.O_NOFOLLOW, 0); err == nil {
		// This fails for anything but a directory.
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
	err = unix.Fstatat(d.fd, "current", &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil && err != unix.ENOENT {
		return &Error{"unable to stat " + d.name + "/current", err}
	}
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFLNK && st.Mode&0o100 != 0 {
		return d.resume(int(st.Size))
	}
	return d.recover()
}

// resume appends to a current that had a clean close.
func (d *Dir) resume(size int) (err error) {
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

// recover finishes what the last writer was doing when it was killed.
func (d *Dir) recover() error {
	unix.Unlinkat(d.fd, "state", 0)
	unix.Unlinkat(d.fd, "newstate", 0)
	var st unix.Stat_t
	err := unix.Fstatat(d.fd, "processed", &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil && err != unix.ENOENT {
		return &Error{"unable to stat " + d.name + "/processed", err}
	}
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFLNK && st.Mode&0o100 != 0 {
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

// Close writes what is left, syncs it to disk, and marks the clean close of
// current, unless Pause has returned false. It returns how many bytes could
// not be written, and why.
func (d *Dir) Close() (lost int64, why error) {
	d.Flush()
	err := d.again("unable to write "+d.name+"/current to disk", func() error { return unix.Fsync(d.current) })
	if err == nil && !d.stuck && !d.failed {
		d.again("unable to set mode of "+d.name+"/current", func() error { return unix.Fchmod(d.current, 0o744) })
	}
	d.Abandon()
	return d.lost, d.why
}

// Abandon closes the descriptors, as a kill does.
func (d *Dir) Abandon() {
	for _, fd := range [...]int{d.current, d.lock, d.fd} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// step is set by a test: it is called before and after each step, where it may
// kill the process.
var step func()

// again calls do until it succeeds or Pause returns false.
func (d *Dir) again(what string, do func() error) error {
	for {
		if step != nil {
			step()
		}
		err := do()
		if err == nil {
			if step != nil {
				step()
			}
			return nil
		}
		if err != unix.EINTR && !d.config.Pause(what, err) {
			return err
		}
	}
}

// openat opens a file, again when a signal of the Go runtime interrupts that.
// With an error fd is -1, also for a name with a NUL byte, for which package
// unix returns 0.
func openat(dir int, name string, how int, mode uint32) (fd int, err error) {
	return openFile(dir, name, how|flags, mode)
}

func openFile(dir int, name string, how int, mode uint32) (fd int, err error) {
	for {
		switch fd, err = unix.Openat(dir, name, how, mode); err {
		case nil:
			return fd, nil
		case unix.EINTR:
		default:
			return -1, err
		}
	}
}
