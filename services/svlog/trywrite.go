package svlog

import "golang.org/x/sys/unix"

// TryWrite writes text to the descriptor fd, unless that would wait for its
// reader. Errors are ignored, also that of a stream that is closed: svinit goes
// on when its messages cannot be written. The write is a plain system call
// because os.File ends the program on EPIPE at descriptors 1 and 2.
func TryWrite(fd int, text []byte) {
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, 0); n == 1 || err != nil {
		unix.Write(fd, text)
	}
}
