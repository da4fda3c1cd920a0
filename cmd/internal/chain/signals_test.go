package chain

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"svinit/cmd/internal/difftest"
)

// TestSignals checks that a tool that waits, for a lock or for a child, dies of a
// signal as a C program does.
func TestSignals(t *testing.T) {
	dir := t.TempDir()
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	difftest.CompareSignals(t, "daemontools", dir, []string{"setlock", "lock", "true"})
	difftest.CompareSignals(t, "runit", dir, []string{"chpst", "-l", "lock", "true"})
	difftest.CompareSignals(t, "daemontools", dir, []string{"fghack", "cat"})
}
