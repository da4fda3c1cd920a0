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

// exec executes the program argv[0]. It returns only if that fails, with the error
// of the tool, or after runInProcess.
func (s *stage) exec(argv []string) error {
	return s.execFile(argv[0], argv, "unable to run "+argv[0])
}

// execFile executes the program file with argv, which includes argv[0]. what is the
// tool's error message if that fails.
func (s *stage) execFile(file string, argv []string, what string) error {
	paths := candidates(file, s.environ.inherited)
	if !strings.Contains(file, "/") && s.Tool != nil && s.Tool(file) && noneExists(paths) {
		// In an image without links, svinit-run(8) starts the first tool of a
		// chain, which then has to find the next.
		paths = []string{"/proc/self/exe"}
	}
	synopsis, run := findTool(path.Base(file))
	if (run != nil || s.limits.affectsRuntime()) && firstIsSelf(paths) {
		if run != nil {
			return s.runInProcess(path.Base(file), synopsis, run, argv[1:])
		}
		s.limits.dropRuntimeLimits()
	}
	err := s.execve(paths, argv)
	if limit, ok := err.(*limitError); ok {
		return applet.Fatal("setrlimit failed", limit.errno)
	}
	return applet.Fatal(what, err)
}

// candidates returns the paths where execve tries a program of that name.
func candidates(file string, environ []string) []string {
	list, ok := lookupEnv(environ, "PATH")
	if !ok {
		list = program.DefaultPath
	}
	return program.Candidates(file, list)
}

// noneExists reports whether none of the files exists.
func noneExists(paths []string) bool {
	for _, p := range paths {
		if err := unix.Faccessat(unix.AT_FDCWD, p, unix.F_OK, 0); err != unix.ENOENT && err != unix.ENOTDIR {
			return false
		}
	}
	return true
}

// continueSearch reports whether the search continues after this error.
func continueSearch(errno syscall.Errno) bool {
	switch errno {
	case syscall.ENOENT, syscall.EACCES, syscall.EPERM, syscall.EISDIR:
		return true
	}
	return false
}

// firstIsSelf reports whether the first executable candidate is this binary.
func firstIsSelf(paths []string) bool {
	var self, st unix.Stat_t
	if unix.Stat("/proc/self/exe", &self) != nil {
		return false
	}
	for _, p := range paths {
		err := unix.Stat(p, &st)
		if err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
			// With the effective IDs, and those of this thread.
			err = unix.Faccessat(unix.AT_FDCWD, p, unix.X_OK, unix.AT_EACCESS)
			if err == nil {
				return st.Dev == self.Dev && st.Ino == self.Ino
			}
		}
		if errno, _ := err.(syscall.Errno); err != nil && !continueSearch(errno) {
			return false
		}
	}
	return false
}

// execve sets the limits and tries the candidates; if all fail it restores the
// limits. The error is an errno: of several, the last that is not ENOENT.
//
// Between prlimit(2) and execve(2) the runtime must not allocate, start a thread or
// grow the stack, so all arguments are prepared before.
func (s *stage) execve(paths, argv []string) error {
	argvp, err := syscall.SlicePtrFromStrings(argv)
	if err != nil {
		return err
	}
	envp, err := syscall.SlicePtrFromStrings(s.environ.merged())
	if err != nil {
		return err
	}
	pathsp, err := syscall.SlicePtrFromStrings(paths)
	if err != nil {
		return err
	}
	restoreOpenFilesLimit()
	plan, err := s.limits.plan()
	if err != nil {
		return err
	}
	if s.limits.affectsRuntime() {
		// Without an idle P the runtime starts no threads.
		runtime.GOMAXPROCS(1)
	}
	defer program.GiveSignals()()
	errno, limitsSet := limitAndExec(plan, pathsp[:len(paths)], &argvp[0], &envp[0])
	runtime.KeepAlive(argvp)
	runtime.KeepAlive(envp)
	if !limitsSet {
		return &limitError{errno}
	}
	return errno
}

// restoreOpenFilesLimit restores the soft limit on open files, which the Go runtime
// raises at start. syscall.Exec does so first, and fails quickly for "".
func restoreOpenFilesLimit() { syscall.Exec("", nil, nil) }

// limitAndExec allocates nothing and calls only functions that need little stack.
// Unlike syscall.Exec it does not keep the runtime from creating a thread at the
// same time: during an execve(2) the kernel fails clone(2) with EAGAIN, and the
// runtime retries.
func limitAndExec(plan []limitChange, paths []*byte, argv, envp **byte) (errno syscall.Errno, limitsSet bool) {
	for i := range plan {
		if errno := plan[i].apply(&plan[i].new); errno != 0 {
			return errno, false
		}
	}
	errno = syscall.ENOENT
	for _, p := range paths {
		_, _, e := syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(argv)), uintptr(unsafe.Pointer(envp)))
		if e != syscall.ENOENT {
			errno = e
		}
		if !continueSearch(e) {
			break
		}
	}
	for i := range plan {
		plan[i].apply(&plan[i].old)
	}
	return errno, true
}
