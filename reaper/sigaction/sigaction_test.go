package sigaction

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestSet: what is set is what the kernel has.
func TestSet(t *testing.T) {
	const sig = syscall.SIGUSR2
	before := Get(sig)
	if before.Handler <= Ignore || before.Flags == 0 {
		t.Errorf("the Go runtime has no handler: %+v", before)
	}
	if caught, ignored := sets(t, sig); !caught || ignored {
		t.Errorf("caught %v, ignored %v", caught, ignored)
	}
	defer Set(sig, before)
	if old := Set(sig, Action{Handler: Ignore}); old != before {
		t.Errorf("set: %+v, want %+v", old, before)
	}
	if caught, ignored := sets(t, sig); caught || !ignored || Get(sig).Handler != Ignore {
		t.Errorf("caught %v, ignored %v, %+v", caught, ignored, Get(sig))
	}
	Set(sig, Action{})
	if caught, ignored := sets(t, sig); caught || ignored || Get(sig).Handler != 0 {
		t.Errorf("caught %v, ignored %v, %+v", caught, ignored, Get(sig))
	}
	Set(sig, before)
	if now := Get(sig); now != before {
		t.Errorf("%+v, want %+v", now, before)
	}
	if Set(syscall.SIGKILL, Action{Handler: Ignore}); Get(syscall.SIGKILL).Handler != 0 {
		t.Error("KILL can be ignored")
	}
}

// sets reads from /proc/self/status (proc_pid_status(5)) whether a signal is
// caught or ignored.
func sets(t *testing.T, sig syscall.Signal) (caught, ignored bool) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		if len(value) != 16 {
			continue
		}
		digit := value[15-int(sig-1)/4]
		bit := strings.IndexByte("0123456789abcdef", digit)>>(int(sig-1)%4)&1 == 1
		switch name {
		case "SigCgt":
			caught = bit
		case "SigIgn":
			ignored = bit
		}
	}
	return caught, ignored
}
