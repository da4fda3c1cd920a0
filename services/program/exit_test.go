package program

import (
	"syscall"
	"testing"
)

func TestExitCode(t *testing.T) {
	for ws, want := range map[syscall.WaitStatus]int{0: 0, 7 << 8: 7, 9: 137, 11 | 0x80: 139} {
		if got := ExitCode(ws); got != want {
			t.Errorf("%#x: %d, want %d", ws, got, want)
		}
	}
}

func TestWait(t *testing.T) {
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "exit 7"}, &syscall.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	if status, err := Wait(pid); err != nil || ExitCode(status) != 7 {
		t.Errorf("%#x, %v", status, err)
	}
	if _, err := Wait(pid); err != syscall.ECHILD {
		t.Errorf("a second time: %v", err)
	}
}
