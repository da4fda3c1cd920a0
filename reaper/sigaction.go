package reaper

import (
	"os"
	"os/signal"
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

// ignore is the handler SIG_IGN.
const ignore = 1

// dropIgnored catches and drops the signals that we were started to ignore, as
// nohup and a shell's background jobs are: an ignored signal stays ignored in
// the children, a caught one is back at its default there (execve(2)).
func dropIgnored() {
	dropped := make(chan os.Signal, 1) // never read: os/signal does not wait
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if setAction(sig, nil).handler != ignore {
			continue
		}
		switch sig {
		case syscall.SIGPROF, 32, 33, 34: // nothing for os/signal
			setAction(sig, &sigaction{})
		default:
			signal.Notify(dropped, sig)
		}
	}
}

// setAction sets what a signal does, unless act is nil, and returns what it did. Package
// os/signal has no way to say "default": its Reset leaves the handler of the
// Go runtime in place, and its Ignore is inherited by children.
func setAction(sig syscall.Signal, act *sigaction) (old sigaction) {
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(old.mask), 0, 0)
	return old
}
