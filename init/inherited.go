package pid1

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// guesses is below what descriptors are looked for without /proc.
const guesses = 1024

// claimDescriptors keeps what we were given beyond standard error from the
// services, and returns those descriptors: they are meant for the main
// program, if for anyone (LISTEN_FDS, a shell's 3<file).
func claimDescriptors() (inherited []int) {
	claim := func(fd int) {
		// What the Go runtime has opened so far is close-on-exec already.
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.CloseOnExec(fd)
			inherited = append(inherited, fd)
		}
	}
	names, err := openFiles()
	if err != nil {
		// Without /proc nobody can tell which there are.
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
// for that, which takes longer than all the rest.
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

func (s *system) eachInherited(do func(fd int)) {
	for _, fd := range s.inherited {
		do(fd)
	}
}
