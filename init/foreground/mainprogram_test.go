package foreground

import (
	"syscall"
	"testing"
)

func TestExitCode(t *testing.T) {
	for ws, want := range map[syscall.WaitStatus]int{0: 0, 7 << 8: 7, 9: 137, 11 | 0x80: 139} {
		if got := exitCode(ws); got != want {
			t.Errorf("%#x: %d, want %d", ws, got, want)
		}
	}
}
