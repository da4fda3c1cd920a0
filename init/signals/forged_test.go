//go:build amd64 || arm64

package signals

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// queueAs is rt_sigqueueinfo(2) with a si_code.
func queueAs(pid int, sig syscall.Signal, code int32) error {
	info := struct {
		signo, errno, code, _ int32
		pid, uid              int32
		value                 uint64
		_                     [96]byte
	}{signo: int32(sig), code: code, pid: int32(os.Getpid()), uid: int32(os.Getuid()), value: 1 << 40}
	_, _, errno := unix.Syscall(unix.SYS_RT_SIGQUEUEINFO, uintptr(pid), uintptr(sig), uintptr(unsafe.Pointer(&info)))
	if errno != 0 {
		return errno
	}
	return nil
}

// The sender of a signal chooses its si_code below 0: none of them is taken for a
// fault of this process, nor for one of its own signals.
func TestForged(t *testing.T) {
	p := start(t, "report", nil)
	p.expect("ready")
	for _, code := range []int32{timer, -3, -4, -5, -7, -60, -128, Unknown + 1} {
		catchable(func(sig syscall.Signal) {
			sender := fmt.Sprintf("pid %d uid %d", os.Getpid(), os.Getuid())
			if code == timer {
				sender = "pid 0 uid 0"
			}
			if sig == syscall.SIGCHLD || code == timer && sig == syscall.SIGPROF {
				return // about children; from the profiler, and ignored
			}
			if err := queueAs(p.pid, sig, code); err != nil {
				t.Fatal(err)
			}
			p.expect("%d code %d %s", sig, code, sender)
		})
	}
	if err := queueAs(p.pid, syscall.SIGPROF, timer); err != nil {
		t.Fatal(err)
	}
	p.fence()
}
