package reaper

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct sigaction (rt_sigaction(2)) on amd64 and
// arm64. The zero value is the default action.
type sigaction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

// setAction sets what a signal does, unless act is nil, and returns what it did. Package
// os/signal has no way to say "default": its Reset leaves the handler of the
// Go runtime in place, and its Ignore is inherited by children.
func setAction(sig syscall.Signal, act *sigaction) (old sigaction) {
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(old.mask), 0, 0)
	return old
}
