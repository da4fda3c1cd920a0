package pid1

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// claimDescriptors keeps what we were given beyond standard error from the
// services, and returns those descriptors: they are meant for the main
// program, if for anyone (LISTEN_FDS, a shell's 3<file).
func claimDescriptors() (inherited []int) {
	names, err := readNames("/proc/self/fd")
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

func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
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
