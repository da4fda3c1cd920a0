package services

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"svinit/services/machine"
	"svinit/services/svdir"
)

// TestStatusRetried cannot write the status, as on a full disk, and does so as
// soon as that is possible, without any other event.
func TestStatusRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		state := w.dir + "/supervise"
		if err := os.MkdirAll(state+"/status.new/full", 0o700); err != nil {
			t.Fatal(err)
		}
		w.command("d")
		w.exit(101, 15)
		if st, err := svdir.ReadStatus(state); err == nil {
			t.Errorf("an old status is shown: %+v", st)
		}
		w.sleep(time.Minute)
		if err := os.RemoveAll(state + "/status.new"); err != nil {
			t.Fatal(err)
		}
		w.sleep(maxStatusRetry)
		if st := w.status(); st.PID != 0 || st.Want != svdir.WantDown {
			t.Errorf("status %+v", st)
		}
		w.log = w.log[:2]
		w.saw("0s start", "0s TERM")
		w.sleep(time.Hour)
		if !w.svc.place.retryAt.IsZero() {
			t.Error("still to be retried")
		}
	})
}

// TestStateRemoved removes the state directory of a service that runs: another
// one is made, after a moment in which the whole service may have been removed.
func TestStateRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		state := w.dir + "/supervise"
		if err := os.RemoveAll(state); err != nil {
			t.Fatal(err)
		}
		w.svc.order(machine.Changed)
		synctest.Wait()
		if _, err := os.Stat(state); err == nil {
			t.Error("made again at once")
		}
		w.sleep(remakeAfter)
		if st := w.status(); st.PID != 101 {
			t.Errorf("status %+v", st)
		}
		w.command("h")
		w.saw("0s start", "1s say svinit: web has a new state directory: somebody removed "+state+", or files in it", "1s HUP")
		// Without an event of the directory it is found at the next exit.
		if err := os.RemoveAll(state); err != nil {
			t.Fatal(err)
		}
		w.sleep(time.Second)
		w.exit(101, 0)
		w.sleep(remakeAfter)
		w.command("d")
		if st := w.status(); st.Want != svdir.WantDown {
			t.Errorf("status %+v", st)
		}
		// The whole directory is being removed: nothing is put in the way.
		if err := os.RemoveAll(state); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(w.dir + "/run"); err != nil {
			t.Fatal(err)
		}
		w.svc.order(machine.Changed)
		w.sleep(time.Hour)
		if _, err := os.Stat(state); err == nil {
			t.Error("made again in a directory without run")
		}
	})
}
