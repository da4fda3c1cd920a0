// Package sigaction is rt_sigaction(2), what a signal does to this process, and
// rt_sigprocmask(2), which signals a thread blocks.
//
// Package os/signal has no way to ask for the default action: its Reset leaves
// the handler of the Go runtime in place, and what its Ignore sets is inherited
// by children. os/signal does not notice what is set here, so it must not be
// asked for the same signal.
package sigaction

import (
	"syscall"
	"unsafe"
)

// Action is the kernel's struct sigaction, which is not the C library's:
//
//	handler, flags, restorer   a word each
//	mask                       64 bits, signal N is bit N-1
//
// That is the order on amd64, arm64, 386 and arm. Where an architecture has no
// restorer (riscv64, loong64) Restorer contains the mask: an Action that Get
// returned can be set again there too, and the zero value is right.
//
// The zero value is the default action.
type Action struct {
	Handler, Flags, Restorer uintptr
	Mask                     uint64
}

// Ignore is the Handler SIG_IGN.
const Ignore = 1

// Get returns what a signal does.
func Get(sig syscall.Signal) (now Action) {
	rtSigaction(sig, nil, &now)
	return now
}

// Set sets what a signal does, and returns what it did. It changes nothing for
// KILL and STOP, for which the kernel answers EINVAL.
func Set(sig syscall.Signal, act Action) (old Action) {
	rtSigaction(sig, &act, &old)
	return old
}

func rtSigaction(sig syscall.Signal, act, old *Action) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(old.Mask), 0, 0)
}

// SetMask sets the signals that the calling thread blocks, signal N is bit N-1, and
// returns those that it did. The caller is locked to its thread.
func SetMask(mask uint64) (old uint64) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask,
		uintptr(unsafe.Pointer(&mask)), uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(mask), 0, 0)
	return old
}

const setMask = 2 // SIG_SETMASK; 3 on MIPS, for which svinit is not built
