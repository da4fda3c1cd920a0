package pid1

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// claimDescriptors keeps what we were given beyond standard error from the
// services, and returns those descriptors: they are meant for the main
// program, if for anyone (LISTEN_FDS, a shell's 3<file).
func claimDescriptors() (inherited []int) {
	names, err := openFiles()
	if err != nil {
		// Without /proc nobody can tell which there are.
		unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
		return nil
	}
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || fd < 3 {
			continue
		}
		// What the Go runtime has opened so far is close-on-exec already.
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.CloseOnExec(fd)
			inherited = append(inherited, fd)
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

// mainFiles is the table of descriptors of a main program: ours at the same
// numbers, and nothing (-1) at those between.
func mainFiles(inherited []int) []uintptr {
	files := []uintptr{0, 1, 2}
	for _, fd := range inherited {
		for len(files) <= fd {
			files = append(files, ^uintptr(0))
		}
		files[fd] = uintptr(fd)
	}
	return files
}
