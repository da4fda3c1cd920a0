package chain

import (
	"path"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/services/program"
)

// exec becomes the program argv[0]. It returns only when it cannot, with the
// error of the tool.
func (l *link) exec(argv []string) error {
	return l.become(argv[0], argv, "unable to run "+argv[0])
}

// become becomes the program file with the arguments argv, the name among
// them. What says in the tool's words that it cannot.
func (l *link) become(file string, argv []string, what string) error {
	paths := candidates(file, l.environ.given)
	if !strings.Contains(file, "/") && l.Tool != nil && l.Tool(file) && nowhere(paths) {
		// In an image without links svinit-run(8) finds the first tool of a
		// chain, and the first the next.
		paths = []string{"/proc/self/exe"}
	}
	synopsis, run := tool(path.Base(file))
	if (run != nil || l.limits.starve()) && isOurs(paths) {
		if run != nil {
			return l.next(path.Base(file), synopsis, run, argv[1:])
		}
		l.limits.spare()
	}
	err := l.execve(paths, argv)
	if limit, ok := err.(*limitError); ok {
		return applet.Fatal("setrlimit failed", limit.errno)
	}
	return applet.Fatal(what, err)
}

// candidates returns where execve is to try a program of that name, in order.
func candidates(file string, environ []string) []string {
	list, ok := lookup(environ, "PATH")
	if !ok {
		list = program.DefaultPath
	}
	return program.Candidates(file, list)
}

// nowhere reports whether there is no such file.
func nowhere(paths []string) bool {
	for _, p := range paths {
		if err := unix.Faccessat(unix.AT_FDCWD, p, unix.F_OK, 0); err != unix.ENOENT && err != unix.ENOTDIR {
			return false
		}
	}
	return true
}

// passes reports whether the search goes on after this error of a candidate.
func passes(errno syscall.Errno) bool {
	switch errno {
	case syscall.ENOENT, syscall.EACCES, syscall.EPERM, syscall.EISDIR:
		return true
	}
	return false
}

// isOurs reports whether the first of the candidates that can be executed is
// this binary.
func isOurs(paths []string) bool {
	var self, st unix.Stat_t
	if unix.Stat("/proc/self/exe", &self) != nil {
		return false
	}
	for _, p := range paths {
		err := unix.Stat(p, &st)
		if err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
			// By the effective ids, and those of this thread.
			err = unix.Faccessat(unix.AT_FDCWD, p, unix.X_OK, unix.AT_EACCESS)
			if err == nil {
				return st.Dev == self.Dev && st.Ino == self.Ino
			}
		}
		if errno, _ := err.(syscall.Errno); err != nil && !passes(errno) {
			return false
		}
	}
	return false
}

// execve tries the candidates with the limits set, and undoes these when none
// will do. The error is an errno: of several, the last that is not ENOENT.
//
// Between a limit and execve the runtime must not need memory or a thread, nor
// the stack grow, so everything is laid out before.
func (l *link) execve(paths, argv []string) error {
	argvp, err := syscall.SlicePtrFromStrings(argv)
	if err != nil {
		return err
	}
	envp, err := syscall.SlicePtrFromStrings(l.environ.merged())
	if err != nil {
		return err
	}
	pathsp, err := syscall.SlicePtrFromStrings(paths)
	if err != nil {
		return err
	}
	giveBackOpenFiles()
	plan, err := l.limits.plan()
	if err != nil {
		return err
	}
	if l.limits.starve() {
		// Without an idle P nothing makes a thread.
		runtime.GOMAXPROCS(1)
	}
	errno, limited := limitAndExec(plan, pathsp[:len(paths)], &argvp[0], &envp[0])
	runtime.KeepAlive(argvp)
	runtime.KeepAlive(envp)
	if !limited {
		return &limitError{errno}
	}
	return errno
}

// giveBackOpenFiles sets the soft limit on open files, which Go raises at
// start (package syscall), to what it was: that is the first thing that
// syscall.Exec does, and to execute "" is its quickest way to fail.
func giveBackOpenFiles() { syscall.Exec("", nil, nil) }

// limitAndExec allocates nothing and calls only what needs no stack to speak
// of. Raw execve(2) may meet a thread that the runtime is just making: the
// kernel then refuses the thread for a moment, and the runtime tries again.
func limitAndExec(plan []change, paths []*byte, argv, envp **byte) (errno syscall.Errno, limited bool) {
	for i := range plan {
		if errno := plan[i].set(&plan[i].wanted); errno != 0 {
			return errno, false
		}
	}
	errno = syscall.ENOENT
	for _, p := range paths {
		_, _, e := syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(argv)), uintptr(unsafe.Pointer(envp)))
		if e != syscall.ENOENT {
			errno = e
		}
		if !passes(e) {
			break
		}
	}
	for i := range plan {
		plan[i].set(&plan[i].was)
	}
	return errno, true
}
