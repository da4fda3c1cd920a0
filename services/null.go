package services

import (
	"fmt"

	"golang.org/x/sys/unix"

	"svinit/services/svlog"
)

// OpenNull opens /dev/null or, where there is none, the read end of a pipe
// without a writer, in which a reader finds the end of file at once, too; then it
// reports that, unless report is nil. The error is that of pipe2(2).
func OpenNull(report svlog.Reporter) (fd int, err error) {
	fd, missing := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if missing == nil {
		return fd, nil
	}
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return -1, fmt.Errorf("unable to make a pipe in place of /dev/null: %w", err)
	}
	unix.Close(p[1])
	if report != nil {
		report(svlog.Unable("open", "/dev/null", fmt.Errorf("%w; services read an empty pipe instead", missing)))
	}
	return p[0], nil
}
