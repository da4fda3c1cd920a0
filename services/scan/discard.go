package scan

import "golang.org/x/sys/unix"

// discard closes a descriptor without waiting for what its last close does.
//
// The last close of an inotify instance waits 5 to 15 ms until no part of the
// kernel can be using a watch (synchronize_srcu in fsnotify_destroy_group). An
// exit waits for that too, even if a thread has closed it before. So the
// descriptor is sent through a pair of sockets, together with the one that would
// receive it, and all are closed. What is under way to a socket that nobody can
// reach any more is closed by the kernel itself, in a thread of its own (the
// garbage collector of unix(7), since Linux 6.9). Before that release the
// collector runs in close(2), which then takes as long as it did anyway.
//
// Any error leads to a plain close.
func discard(fd int) {
	defer unix.Close(fd)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(fd, pair[1]), nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	defer unix.Close(pair[1])
	defer unix.Close(pair[0])
}
