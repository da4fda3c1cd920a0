//go:build amd64 || arm64

package signals

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A process that listens sleeps until a signal arrives.
func TestIdle(t *testing.T) {
	p := start(t, "report", nil)
	p.expect("ready")
	p.fence()
	before := ""
	for range 10 { // the runtime needs a while to settle, the more so under -race
		now := switches(t, p.pid)
		if now == before {
			return
		}
		before = now
		if err := exec.Command("sleep", "1").Run(); err != nil {
			t.Fatal(err)
		}
	}
	t.Errorf("it wakes up each second; at last: %s", before)
}

// switches returns how often each thread of a process has gone to sleep.
func switches(t *testing.T, pid int) string {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) == 0 {
		t.Fatal("no threads: ", err)
	}
	var all string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, n, _ := strings.Cut(string(text), "\nvoluntary_ctxt_switches:")
		all += n
	}
	return all
}
