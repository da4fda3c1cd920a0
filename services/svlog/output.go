package svlog

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"
)

// pipeBuf is how many bytes one write puts into a pipe without anything of
// another process between them (PIPE_BUF, pipe(7)).
const pipeBuf = 4096

// output is one of the two descriptors that Mux writes to.
//
// Where it is a pipe, others may write to it too: a main program, or a cron job
// that opens /proc/1/fd/1. Nothing in the kernel says whether anybody does. A
// write is kept together up to pipeBuf bytes, or if all of it fits into the pipe
// at once; a larger one can have lines of others in the middle of one of its own.
// So a pipe gets whole lines, at most pipeBuf bytes of them at a time, through a
// stage where there are many.
type output struct {
	fd     int
	name   string
	buf    []byte // whole lines
	broken bool   // the last write failed
	size   int    // of the pipe, in bytes; 0 where it is none
	stage  stage
}

// newOutput returns the output to a descriptor.
func newOutput(fd int, name string) output {
	o := output{fd: fd, name: name}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO {
		size, _ := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
		o.size = max(size, pipeBuf)
	}
	return o
}

// write writes all of buf, waiting for the reader where it must, and empties
// buf even when it fails.
func (o *output) write() error {
	b := o.buf
	o.buf = o.buf[:0]
	if o.size == 0 {
		return writeAll(o.fd, b)
	}
	for len(b) > pipeBuf {
		var err error
		n := bytes.LastIndexByte(b[:pipeBuf], '\n') + 1
		if n > 0 {
			err = o.stage.write(o.fd, b[:n])
		} else {
			n = bytes.IndexByte(b, '\n') + 1
			err = o.writeLong(b[:n])
		}
		if err != nil {
			o.stage.discard()
			return err
		}
		b = b[n:]
	}
	if err := o.stage.flush(o.fd); err != nil {
		return err
	}
	return writeAll(o.fd, b)
}

// writeLong writes a line that is longer than pipeBuf.
func (o *output) writeLong(line []byte) error {
	if err := o.stage.flush(o.fd); err != nil {
		return err
	}
	o.awaitRoom(len(line))
	return writeAll(o.fd, line)
}

// How long a line that is longer than pipeBuf waits for room in the pipe. If the
// reader is slower, or others fill the pipe again, they may write into the line.
const (
	roomYields   = 30 // how often the reader gets the processor first, which is mostly enough
	roomInterval = 100 * time.Microsecond
	roomTimeout  = 10 * time.Millisecond
)

// awaitRoom waits until n bytes fit into the pipe at once, if they can. There is
// no event for that: poll(2) reports the first free page.
func (o *output) awaitRoom(n int) {
	if n > o.size {
		return
	}
	for range roomYields {
		if o.hasRoom(n) {
			return
		}
		unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
	for waited := time.Duration(0); waited < roomTimeout && !o.hasRoom(n); waited += roomInterval {
		ts := unix.NsecToTimespec(int64(roomInterval))
		unix.Nanosleep(&ts, nil)
	}
}

// hasRoom reports whether n bytes fit into the pipe at once. A pipe is a number
// of pages. A write begins a new page if it does not fit into the last one, so
// two neighbours hold more than one page could.
func (o *output) hasRoom(n int) bool {
	unread, err := unix.IoctlGetInt(o.fd, unix.TIOCINQ)
	return err != nil || unread == 0 || n+2*unread+2*pipeBuf <= o.size
}

// writeAll writes all of b. The write is a plain system call because os.File
// ends the program on EPIPE at descriptors 1 and 2.
func writeAll(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		if err == nil {
			b = b[n:]
		} else if err = retry(fd, err); err != nil {
			return err
		}
	}
	return nil
}

// retry returns nil for an error after which a call that writes to fd is to be
// repeated, and waits until that makes sense.
func retry(fd int, err error) error {
	switch err {
	case unix.EINTR:
		return nil
	case unix.EAGAIN: // another process with the same open file made it non-blocking
		unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)
		return nil
	}
	return err
}
