package pid1

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/services/svlog"
)

// ListenShim is argv[0] of ourselves as the shim RunListener.
const ListenShim = "svinit-listen"

// listenPID reports whether sockets were handed to us (sd_listen_fds(3)). They
// are the main program's, which takes them only if LISTEN_PID is its own pid.
func listenPID() bool { return os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid()) }

// RunListener becomes the main program, with LISTEN_PID, and LISTEN_PIDFDID
// where it is set (the inode of its pidfd, systemd 259), made its own. It
// returns when that cannot be executed, with the exit code.
func RunListener(command []string, stderr *os.File) int {
	os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	if _, ok := os.LookupEnv("LISTEN_PIDFDID"); ok {
		os.Unsetenv("LISTEN_PIDFDID")
		var st unix.Stat_t
		if fd, err := unix.PidfdOpen(os.Getpid(), 0); err == nil {
			if unix.Fstat(fd, &st) == nil {
				os.Setenv("LISTEN_PIDFDID", strconv.FormatUint(st.Ino, 10))
			}
			unix.Close(fd)
		}
	}
	if len(command) == 0 {
		return exitWrong
	}
	code, err := search(command, func(path string, argv []string) error {
		return syscall.Exec(path, argv, os.Environ())
	})
	refuse(stderr, svlog.Unable("run", command[0], err).At(svlog.Fatal))
	return code
}
