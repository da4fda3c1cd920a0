package proc

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Descriptors returns what the descriptors of a process refer to, as
// /proc/PID/fd shows it: "pipe:[1234]", "/dev/null". It is empty for a process
// that has ended or that we may not trace.
func Descriptors(pid int) map[int]string {
	path := "/proc/" + strconv.Itoa(pid) + "/fd"
	dir, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	all := make(map[int]string, len(names))
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if link, err := os.Readlink(path + "/" + name); err == nil {
			all[fd] = link
		}
	}
	return all
}

// ReadsPipe reports whether the standard input of a process is a pipe, a FIFO or
// a socket. It waits for no file system.
func ReadsPipe(pid int) bool {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, "/proc/"+strconv.Itoa(pid)+"/fd/0", unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE, &st)
	kind := st.Mode & unix.S_IFMT
	return err == nil && (kind == unix.S_IFIFO || kind == unix.S_IFSOCK)
}
