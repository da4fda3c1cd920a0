package svlog

import "golang.org/x/sys/unix"

// output is one of the two descriptors that Mux writes to.
type output struct {
	fd     int
	name   string
	buf    []byte // whole lines
	broken bool   // the last write failed
}

// write writes all of buf, waiting for the reader where it must, and empties
// buf even when it fails. The write is a plain system call because os.File ends
// the program on EPIPE at descriptors 1 and 2.
func (o *output) write() error {
	b := o.buf
	o.buf = o.buf[:0]
	for len(b) > 0 {
		n, err := unix.Write(o.fd, b)
		switch err {
		case nil:
			b = b[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			// Another process with the same open file made it non-blocking.
			unix.Poll([]unix.PollFd{{Fd: int32(o.fd), Events: unix.POLLOUT}}, -1)
		default:
			return err
		}
	}
	return nil
}
