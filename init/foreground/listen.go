package foreground

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"svinit/services/program"
	"svinit/services/svlog"
)

// ListenShim is argv[0] of our own program when it is executed as RunListener.
const ListenShim = "svinit-listen"

// haveListenPID reports whether sockets were handed to us (sd_listen_fds(3)).
// They are for the main program, which takes them only if LISTEN_PID is its own
// pid.
func haveListenPID() bool { return os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid()) }

// RunListener sets LISTEN_PID to its own pid, LISTEN_PIDFDID, where it is set,
// to the inode of its own pidfd (systemd 259), and executes the main program.
// It returns only if that fails, with the exit code, after a line on stderr.
func RunListener(command []string, stderr *os.File) (code int) {
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
		return program.ExitPermanent
	}
	code, err := search(command, func(path string, argv []string) error {
		return program.Exec(path, argv, os.Environ())
	})
	stderr.Write(svlog.Unable("run", command[0], err).At(svlog.Fatal).AppendLine(nil, svlog.Prog))
	return code
}
