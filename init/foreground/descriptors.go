package foreground

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// descriptors are what this process has inherited beyond standard error. They
// are for the main program: sockets (LISTEN_FDS), a shell's 3<file.
type descriptors []int

// guesses is the number below which descriptors are looked for without /proc.
const guesses = 1024

// claimDescriptors makes the inherited descriptors close-on-exec, so that
// services do not get them, and returns them.
func claimDescriptors() (inherited descriptors) {
	claim := func(fd int) {
		// What the Go runtime has opened so far is close-on-exec already.
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.CloseOnExec(fd)
			inherited = append(inherited, fd)
		}
	}
	names, err := openFiles()
	if err != nil {
		// Without /proc there is no list of them.
		for fd := 3; fd < guesses; fd++ {
			claim(fd)
		}
		unix.CloseRange(guesses, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil && fd > 2 {
			claim(fd)
		}
	}
	return inherited
}

// openFiles reads /proc/self/fd. Package os would start the Go runtime's poller
// for that, which takes longer than all the rest of New.
func openFiles() (names []string, err error) {
	dir, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	buf := make([]byte, 4096)
	for {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil || n <= 0 {
			return names, err
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
}

// each calls do for each of them.
func (d descriptors) each(do func(fd int)) {
	for _, fd := range d {
		do(fd)
	}
}
