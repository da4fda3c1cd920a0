package services

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"svinit/services/svlog"
)

// warnings returns what svinit has said since the last call, without the times.
func (w *world) warnings() (texts []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, line := range w.log {
		if _, text, ok := strings.Cut(line, " say svinit: "); ok && strings.Contains(text, "warning: ") {
			texts = append(texts, strings.ReplaceAll(strings.TrimPrefix(text, "warning: unable to use "), w.dir, "DIR"))
		}
	}
	w.log = nil
	slices.Sort(texts)
	return texts
}

// Every problem of a service directory is reported once, however many have the
// same verb, and not again at each restart as long as it lasts.
func TestProblemsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down-signal", "reload-signal", "lock-fd")
		const (
			down   = `DIR/down-signal: "" is not a signal, as TERM or 15 is`
			reload = `DIR/reload-signal: "" is not a signal, as TERM or 15 is`
			lock   = "DIR/lock-fd: this version of svinit does not act on it (a file of s6: put setlock into run instead)"
		)
		said := func(want ...string) {
			t.Helper()
			if got := w.warnings(); !slices.Equal(got, want) {
				t.Errorf("said\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		}
		write := func(content string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(w.dir, "reload-signal"), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		restart := func() {
			w.sleep(2 * time.Second)
			w.exit(w.pid, 0)
		}
		said(down, lock, reload)
		restart()
		restart()
		said()
		write("HUPP")
		restart()
		said(`DIR/reload-signal: "HUPP" is not a signal, as TERM or 15 is`)
		restart()
		write("HUP")
		restart()
		said()
		write("")
		restart()
		said(reload) // it was fixed in between

		// Without run nothing is known to be fixed.
		if err := os.Rename(filepath.Join(w.dir, "run"), filepath.Join(w.dir, "other")); err != nil {
			t.Fatal(err)
		}
		restart()
		w.sleep(time.Hour)
		if got := w.warnings(); len(got) != 1 || !strings.Contains(got[0], "unable to start web: ") {
			t.Errorf("said %q", got)
		}
		if err := os.Rename(filepath.Join(w.dir, "other"), filepath.Join(w.dir, "run")); err != nil {
			t.Fatal(err)
		}
		w.sleep(time.Hour)
		said()
	})
}

// A warning is repeated when its reason has changed, and not because another
// object of the same verb has failed in between.
func TestWarn(t *testing.T) {
	var said []string
	o := &owner{cfg: &Config{Report: func(e svlog.Event) { said = append(said, e.Text) }}}
	wrapped := errors.New("no room")
	for range 3 {
		o.warn("run", "./control/t", syscall.ENOENT)
		o.warn("run", "./control/d", wrapped)
	}
	o.warn("run", "./control/d", syscall.EIO)
	o.warn("start", "web", syscall.EIO)
	o.clearWarning("run")
	o.warn("start", "web", syscall.EIO)
	o.warn("run", "./control/t", syscall.ENOENT)
	want := []string{
		"unable to run ./control/t: no such file or directory",
		"unable to run ./control/d: no room",
		"unable to run ./control/d: input/output error",
		"unable to start web: input/output error",
		"unable to run ./control/t: no such file or directory",
	}
	if !slices.Equal(said, want) {
		t.Errorf("said\n\t%s\nwant\n\t%s", strings.Join(said, "\n\t"), strings.Join(want, "\n\t"))
	}
}
