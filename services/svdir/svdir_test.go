package svdir

import (
	"errors"
	"os"
	"strconv"
	"testing"
	"time"
)

// await waits until ok holds. What it waits for happens in another process,
// which cannot be asked to tell.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func asPathError(err error, p **os.PathError) bool { return errors.As(err, p) }
