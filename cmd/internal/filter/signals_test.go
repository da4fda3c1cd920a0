package filter

import (
	"syscall"
	"testing"

	"svinit/cmd/internal/difftest"
)

// TestSignals: a filter that waits ends as a program in C does. multilog listens
// to TERM and ALRM, and what it holds is worth more than PIPE and XFSZ.
func TestSignals(t *testing.T) {
	for _, argv := range [][]string{{"tai64n"}, {"tai64nlocal"}, {"readproctitle", "......"}} {
		difftest.CompareSignals(t, "daemontools", t.TempDir(), argv)
	}
	difftest.CompareSignals(t, "daemontools", t.TempDir(), []string{"multilog", "./d"}, syscall.SIGALRM, syscall.SIGPIPE, syscall.SIGXFSZ)
}
