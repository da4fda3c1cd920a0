package filter

import (
	"syscall"
	"testing"

	"svinit/cmd/internal/difftest"
)

// TestSignals checks that a waiting filter dies of a signal as a C program does.
// multilog catches TERM and ALRM; it survives PIPE and XFSZ so as not to lose
// buffered lines.
func TestSignals(t *testing.T) {
	for _, argv := range [][]string{{"tai64n"}, {"tai64nlocal"}, {"readproctitle", "......"}} {
		difftest.CompareSignals(t, "daemontools", t.TempDir(), argv)
	}
	difftest.CompareSignals(t, "daemontools", t.TempDir(), []string{"multilog", "./d"}, syscall.SIGALRM, syscall.SIGPIPE, syscall.SIGXFSZ)
}
