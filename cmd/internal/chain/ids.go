package chain

import (
	"runtime"
	"syscall"
	"unsafe"
)

// The system calls are made for this thread alone, which is the one that will
// call execve(2): package syscall would stop all threads to do it in each, and
// the user's limit on processes (RLIMIT_NPROC) would count them all.

// setGroups sets the supplementary groups.
func setGroups(gids []uint32) error {
	runtime.LockOSThread()
	var first unsafe.Pointer
	if len(gids) > 0 {
		first = unsafe.Pointer(&gids[0])
	}
	return orNil(syscall.RawSyscall(sysSetgroups, uintptr(len(gids)), uintptr(first), 0))
}

// setGroup sets the real, effective and saved group id where the caller is
// privileged, else the effective one.
func setGroup(gid uint32) error {
	runtime.LockOSThread()
	return orNil(syscall.RawSyscall(sysSetgid, uintptr(gid), 0, 0))
}

// setUser is setGroup for the user id.
func setUser(uid uint32) error {
	runtime.LockOSThread()
	return orNil(syscall.RawSyscall(sysSetuid, uintptr(uid), 0, 0))
}

// addNice adds to the nice level, as nice(2) of the C library.
func addNice(n int32) error {
	runtime.LockOSThread()
	// The system call says 20 less the level, so that it is never negative.
	level, _, errno := syscall.RawSyscall(syscall.SYS_GETPRIORITY, syscall.PRIO_PROCESS, 0, 0)
	if errno != 0 {
		return errno
	}
	err := orNil(syscall.RawSyscall(syscall.SYS_SETPRIORITY, syscall.PRIO_PROCESS, 0, uintptr(20-int32(level)+n)))
	if err == syscall.EACCES {
		err = syscall.EPERM
	}
	return err
}

func orNil(_, _ uintptr, errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}
