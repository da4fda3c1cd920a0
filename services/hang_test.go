package services

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"svinit/services/machine"
	"svinit/services/svdir"
)

// Where every slot is taken, commands and exits are handled all the same.
func TestNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.sleep(2 * time.Second)
		for range cap(w.svc.slots.taken) {
			w.svc.slots.taken <- struct{}{}
		}
		w.command("h")
		w.command("d")
		w.saw("0s start", "2s HUP", "2s TERM", "2s CONT")
		w.exit(101, 15)
		// It cannot be started, and can be stopped and released.
		w.command("u")
		w.command("d")
		w.command("u")
		w.sleep(time.Second)
		w.svc.order(machine.Release)
		synctest.Wait()
		if w.svc.State != machine.StateReleased {
			t.Errorf("it is %v", w.svc.State)
		}
		w.saw()
		// What is left to do on the disk is waited for, but not for long.
		w.sleep(2 * time.Second)
		w.saw("4s released")
		for range cap(w.svc.slots.taken) {
			<-w.svc.slots.taken
		}
	})
}

// A launch that hangs is shown, can be cancelled, and does not keep its slot.
func TestLaunchHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.block = make(chan struct{})
		w.command("u")
		w.sleep(200 * time.Millisecond)
		if n := len(w.svc.slots.taken); n != 1 {
			t.Errorf("%d slots are taken", n)
		}
		w.sleep(time.Second)
		if st := w.status(); st.PID != 0 || st.Flags&svdir.FlagStarting == 0 || st.Want != svdir.WantUp {
			t.Errorf("status %+v", st)
		}
		if n := len(w.svc.slots.taken); n != 0 {
			t.Errorf("after a second %d slots are taken", n)
		}
		w.command("d")
		if st := w.status(); st.Flags&svdir.FlagStarting != 0 || st.Want != svdir.WantDown {
			t.Errorf("status %+v", st)
		}
		// The process is made too late: it is stopped at once.
		close(w.block)
		synctest.Wait()
		w.saw("1.2s start", "1.2s TERM", "1.2s CONT")
		w.exit(101, 15)
		w.saw()
		if n := w.svc.slots.lent.Load(); n != 0 {
			t.Errorf("%d slots are lent", n)
		}
	})
}

// The stop does not wait for a launch that hangs. What it makes in the end is
// killed.
func TestLaunchHangsAtStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.block = make(chan struct{})
		w.command("u")
		w.svc.order(machine.Release)
		w.sleep(1500 * time.Millisecond)
		w.saw("1s released")
		if err := svdir.ProbeOK(filepath.Join(w.dir, svdir.Supervise)); err != svdir.ErrNotRunning {
			t.Errorf("ok is %v", err)
		}
		close(w.block)
		synctest.Wait()
		w.saw("1.5s start", "1.5s KILL all")
		clear(w.exited)
	})
}

// An execve that fails late is a failed start, and one that hangs is neither up
// nor down.
func TestExecHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.exec = errHangs
		w.command("u")
		w.sleep(200 * time.Millisecond)
		if st := w.status(); st.PID != 0 || st.Flags&svdir.FlagStarting == 0 || st.State != svdir.StateDown {
			t.Errorf("status %+v", st)
		}
		w.sleep(800 * time.Millisecond)
		delete(w.exited, 101)
		w.exec = nil
		w.hung(syscall.EIO)
		synctest.Wait()
		w.saw("0s start", "1s say svinit: warning: unable to start web: input/output error")
		w.sleep(time.Second)
		w.saw("2s start")
		if st := w.status(); st.PID != 102 || st.Flags&svdir.FlagStarting != 0 {
			t.Errorf("status %+v", st)
		}
	})
}

// A process that ends before its launch has been noticed is not lost.
func TestQuickerThanItsLaunch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.quick = true
		w.command("u")
		w.quick = false
		w.saw("0s start", "0s say svinit: web died: exit code 3 after 0s; restarting in 1s")
		w.sleep(time.Second)
		w.saw("1s start")
	})
}

// That the program is being written is reported when it is so twice, also after
// a failure of another kind.
func TestBusyProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.failWith(errors.New("something else"))
		w.command("u")
		w.saw("0s fail", "0s say svinit: warning: unable to start web: something else")
		w.failWith(syscall.ETXTBSY)
		w.sleep(time.Second)
		w.saw("1s fail")
		w.sleep(2 * time.Second)
		w.saw("3s fail", "3s say svinit: warning: unable to start web: text file busy")
		w.failWith(nil)
		w.sleep(4 * time.Second)
		w.saw("7s start")
	})
}
