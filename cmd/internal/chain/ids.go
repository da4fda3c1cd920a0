package chain

import (
	"runtime"
	"syscall"
	"unsafe"
)

// These are raw system calls for the current thread, which will call execve(2).
// Package syscall would stop all threads and make the call in each, and
// RLIMIT_NPROC of the new user would count them all.

// setGroups sets the supplementary groups.
func setGroups(gids []uint32) error {
	runtime.LockOSThread()
	var first unsafe.Pointer
	if len(gids) > 0 {
		first = unsafe.Pointer(&gids[0])
	}
	return errnoOrNil(syscall.RawSyscall(sysSetgroups, uintptr(len(gids)), uintptr(first), 0))
}

// setGroup sets the real, effective and saved group ID if we are privileged, else
// only the effective one.
func setGroup(gid uint32) error {
	runtime.LockOSThread()
	return errnoOrNil(syscall.RawSyscall(sysSetgid, uintptr(gid), 0, 0))
}

// setUser is setGroup for the user ID.
func setUser(uid uint32) error {
	runtime.LockOSThread()
	return errnoOrNil(syscall.RawSyscall(sysSetuid, uintptr(uid), 0, 0))
}

// addNice adds to the nice level, like nice(2) of the C library.
func addNice(n int32) error {
	runtime.LockOSThread()
	// The system call returns 20 minus the level, which is never negative.
	level, _, errno := syscall.RawSyscall(syscall.SYS_GETPRIORITY, syscall.PRIO_PROCESS, 0, 0)
	if errno != 0 {
		return errno
	}
	err := errnoOrNil(syscall.RawSyscall(syscall.SYS_SETPRIORITY, syscall.PRIO_PROCESS, 0, uintptr(20-int32(level)+n)))
	if err == syscall.EACCES {
		err = syscall.EPERM
	}
	return err
}

func errnoOrNil(_, _ uintptr, errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}
