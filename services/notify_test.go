package services

import (
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"svinit/services/svdir"
)

// say writes to the notification descriptor of the last process.
func (w *world) say(text string) {
	w.t.Helper()
	for len(text) > 0 {
		n, err := syscall.Write(w.notify, []byte(text[:min(len(text), 4096)]))
		if err != nil {
			w.t.Fatal(err)
		}
		text = text[n:]
		w.svc.inbox.poke() // the poller's part
		synctest.Wait()
	}
}

func TestNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		if st := w.status(); st.Flags&svdir.FlagReadiness != 0 {
			t.Errorf("status %+v", st)
		}
		w.put("notification-fd", "3\n")
		w.command("u")
		if st := w.status(); st.Flags&svdir.FlagReadiness == 0 || !st.Ready.IsZero() || st.PID == 0 {
			t.Errorf("status %+v", st)
		}
		w.sleep(3 * time.Second)
		w.say(strings.Repeat("not yet ", 5000)) // more than one look reads
		if st := w.status(); !st.Ready.IsZero() {
			t.Errorf("status %+v", st)
		}
		w.say("now\n")
		ready := time.Now().Truncate(time.Second)
		if st := w.status(); !st.Ready.Equal(ready) {
			t.Errorf("status %+v, want ready at %v", st, ready)
		}
		if _, err := syscall.Write(w.notify, []byte("more")); err != syscall.EPIPE {
			t.Errorf("after the newline: %v", err)
		}
		syscall.Close(w.notify)
		// The next process is not ready by what the last one said.
		w.exit(101, 0)
		if st := w.status(); st.PID != 102 || !st.Ready.IsZero() || st.Flags&svdir.FlagReadiness == 0 {
			t.Errorf("status %+v", st)
		}
		// One that closes the descriptor never becomes ready, and runs on.
		syscall.Close(w.notify)
		w.svc.inbox.poke()
		w.sleep(time.Hour)
		if st := w.status(); st.PID != 102 || !st.Ready.IsZero() {
			t.Errorf("status %+v", st)
		}
	})
}

func TestNotifyBadNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		for text, quoted := range map[string]string{"2": `"2"`, "x": `"x"`, "300": `"300"`, "-1": `"-1"`, "": `""`} {
			w.put("notification-fd", text)
			w.command("u")
			if len(w.log) != 2 || !strings.Contains(w.log[1], "unable to use "+w.dir+"/notification-fd: "+quoted+" is not the number of a descriptor from 3 to 255") {
				t.Errorf("%q", w.log)
			}
			if st := w.status(); st.PID == 0 || st.Flags&svdir.FlagReadiness != 0 {
				t.Errorf("status %+v", st)
			}
			w.log = nil
			w.command("d")
			for pid := range w.exited {
				w.exit(pid, 15)
			}
			w.sleep(2 * time.Second)
			w.log = nil
		}
	})
}
