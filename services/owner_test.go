package services

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"svinit/reaper/proc"
	"svinit/services/machine"
	"svinit/services/spec"
	"svinit/services/svdir"
)

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.saw("0s start")
		if st := w.status(); st.PID != 101 || st.Want != svdir.WantUp || st.State != svdir.StateRun || st.Restarts != 0 {
			t.Errorf("status %+v", st)
		}
		// One that lived a second is started again at once,
		w.sleep(2 * time.Second)
		w.exit(101, 3*sec)
		w.saw("2s start", "2s say svinit: web died: exit code 3 after 2s; restarting")
		// one that did not when the second is over, however often.
		w.sleep(300 * time.Millisecond)
		w.exit(102, 9)
		w.saw("2.3s say svinit: web died: killed by signal KILL after 300ms; restarting in 700ms")
		if st := w.status(); st.PID != 0 || st.State != svdir.StateDown || st.WaitStatus != 9 || st.Flags&svdir.FlagEnded == 0 || st.Since != time.Now() {
			t.Errorf("status %+v", st)
		}
		w.sleep(time.Second)
		w.saw("3s start")
		w.exit(103, 0)
		w.sleep(10 * time.Second)
		w.saw("3.3s say svinit: web died: exit code 0 after 300ms; restarting in 700ms", "4s start")
		if st := w.status(); st.Restarts != 3 {
			t.Errorf("restarts %d, want 3", st.Restarts)
		}
	})
}

func TestDownAndUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.sleep(5 * time.Second)
		w.command("d")
		w.saw("0s start", "5s TERM", "5s CONT")
		if st := w.status(); !st.GotTERM || st.Want != svdir.WantDown || st.PID != 101 {
			t.Errorf("status %+v", st)
		}
		w.command("d")
		w.exit(101, 15)
		w.saw("5s TERM", "5s CONT") // and no word of its death
		if st := w.status(); st.GotTERM || st.PID != 0 {
			t.Errorf("status %+v", st)
		}
		w.sleep(time.Hour)
		w.saw()
		w.command("u")
		w.saw("1h0m5s start")
		// Down and up again within the second: never two starts in one.
		w.command("d")
		w.exit(102, 15)
		w.command("u")
		w.saw("1h0m5s TERM", "1h0m5s CONT")
		w.sleep(time.Minute)
		w.saw("1h0m6s start")
	})
}

func TestNormallyDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.sleep(time.Minute)
		w.saw()
		if st := w.status(); st.Want != svdir.WantDown {
			t.Errorf("status %+v", st)
		}
		w.command("u")
		w.saw("1m0s start")
	})
}

func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.command("o")
		w.saw("0s start")
		if st := w.status(); st.Want != svdir.WantOnce {
			t.Errorf("status %+v", st)
		}
		w.sleep(2 * time.Second)
		w.exit(101, 7*sec)
		w.sleep(time.Minute)
		w.saw("2s say svinit: web died: exit code 7 after 2s; not restarting: it was to run once")
		// O starts nothing, and lets what runs run out.
		w.command("O")
		w.saw()
		w.command("u")
		w.command("O")
		w.sleep(2 * time.Second)
		w.exit(102, 0)
		w.sleep(time.Minute)
		w.saw("1m2s start", "1m4s say svinit: web died: exit code 0 after 2s; not restarting: it was to run once")
	})
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.command("p")
		if st := w.status(); !st.Paused {
			t.Errorf("status %+v", st)
		}
		w.command("c")
		if st := w.status(); st.Paused {
			t.Errorf("status %+v", st)
		}
		w.command("p")
		w.command("d") // CONT, so that it gets its TERM
		if st := w.status(); st.Paused {
			t.Errorf("status %+v", st)
		}
		w.saw("0s start", "0s STOP", "0s CONT", "0s STOP", "0s TERM", "0s CONT")
		w.exit(101, 15)
		w.command("pc") // down: nothing to do, as in daemontools
		w.saw()
		if st := w.status(); st.Paused {
			t.Errorf("status %+v", st)
		}
	})
}

func TestSignals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.command("haitkq12byrlPCK\n\x00z")
		w.saw("0s start", "0s HUP", "0s ALRM", "0s INT", "0s TERM", "0s KILL", "0s QUIT",
			"0s USR1", "0s USR2", "0s ABRT", "0s WINCH", "0s TERM", "0s CONT", "0s HUP",
			"0s STOP all", "0s CONT all", "0s KILL all")
		w.sleep(2 * time.Second)
		w.exit(101, 9) // as asked: no word
		w.saw("2s start")
		w.command("h")
		w.sleep(2 * time.Second)
		w.exit(102, 11) // of SEGV, long after HUP: news
		w.saw("2s HUP", "4s start", "4s say svinit: web died: killed by signal SEGV after 2s; restarting")
	})
}

// A flood of bytes, more than one read takes, is obeyed whole and in order.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.command(strings.Repeat("z", 1000) + "h" + strings.Repeat("\xff", 1000) + "a")
		w.saw("0s start", "0s HUP", "0s ALRM")
	})
}

func TestExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.command("x")
		w.saw("0s start") // daemontools' x sends nothing
		w.sleep(3 * time.Second)
		w.exit(101, 0)
		w.saw("3s say svinit: web died: exit code 0 after 3s; letting go of it", "3s released")
		if err := svdir.ProbeOK(filepath.Join(w.dir, svdir.Supervise)); err != svdir.ErrNotRunning {
			t.Errorf("ok is %v", err)
		}
	})
}

func TestFailedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.fail = syscall.EAGAIN
		w.command("u")
		w.sleep(200 * time.Second)
		// Said once, tried again after 1 s, 2 s, 4 s … at most half a minute.
		w.saw("0s fail", "0s say svinit: warning: unable to start web: cannot fork (a limit on processes, or on the container's pids): resource temporarily unavailable",
			"1s fail", "3s fail", "7s fail", "15s fail", "31s fail", "1m1s fail", "1m31s fail", "2m1s fail", "2m31s fail", "3m1s fail")
		if st := w.status(); st.PID != 0 || st.Want != svdir.WantUp {
			t.Errorf("status %+v", st)
		}
		w.fail = nil
		w.svc.order(machine.Changed)
		synctest.Wait()
		w.saw("3m20s start")
		w.fail = errors.New("something else")
		w.sleep(time.Minute)
		w.exit(101, 9)
		w.command("u") // does not wait either
		w.saw("4m20s fail", "4m20s say svinit: web died: killed by signal KILL after 1m0s; restarting",
			"4m20s say svinit: warning: unable to start web: something else", "4m20s fail")
	})
}

func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.command("p")
		w.svc.order(machine.Release)
		synctest.Wait()
		w.command("u") // too late
		w.exit(101, 15)
		w.saw("0s start", "0s STOP", "0s TERM", "0s CONT", "0s released")
	})
}

func TestKillAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.svc.order(machine.Release)
		w.sleep(8 * time.Second)
		w.svc.order(machine.Kill)
		synctest.Wait()
		w.exit(101, 9)
		w.saw("0s start", "0s TERM", "0s CONT", "8s KILL", "8s say svinit: web did not stop in time: killing pid 101", "8s released")
	})
}

// A logger ends by the end of its input. One that dies before it has read
// everything is started again.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p [2]int
		if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(p[0])
		w := newWorld(t, "down")
		w.svc.input = &logPipe{p[0], p[1]}
		w.command("u")
		syscall.Write(p[1], []byte("last words\n"))
		w.sleep(2 * time.Second)
		w.svc.order(machine.Drain)
		synctest.Wait()
		if w.svc.input.w != -1 {
			t.Error("the write end is still open")
		}
		w.exit(101, 9)
		w.saw("0s start", "2s start", "2s say svinit: web died: killed by signal KILL after 2s; restarting")
		var b [100]byte
		syscall.Read(p[0], b[:])
		w.exit(102, 0)
		w.saw("2s released")
	})
}

// Two supervisors never run one service; the second waits for the first to go.
func TestLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		h, err := svdir.Hold(filepath.Join(dir, svdir.Supervise))
		if err != nil {
			t.Fatal(err)
		}
		defer h.Release()
		w := newWorld(t, "down")
		w.svc.order(machine.Kill) // that one is not it
		synctest.Wait()
		w.log = nil
		if err := os.WriteFile(dir+"/run", nil, 0o755); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		w.svc = newOwner(w.svc.cfg, spec.Source{Name: "web", Dir: dir}, newSlots(4), func(r report) {
			if r.kind == ownerEnded {
				close(done)
			}
		})
		go w.svc.run()
		w.sleep(10 * time.Second)
		w.saw("0s say svinit: warning: unable to supervise web: lock " + dir + "/supervise/lock: another supervisor has it")
		h.Release()
		w.sleep(10 * time.Second)
		w.saw("15s start")
		w.svc.order(machine.Kill)
		synctest.Wait()
		w.exit(w.pid, 9)
		<-done
	})
}

func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.svc.cfg.OOMKills = func() (uint64, bool) { panic("no memory of it") }
		w.exit(101, 9)
		if len(w.log) != 3 || !strings.Contains(w.log[1], "web is no longer supervised: a bug of svinit: no memory of it") || w.log[2] != "0s released" {
			t.Errorf("saw %q", w.log)
		}
	})
}

// A signal that is refused leaves no trace in the status, and is one line. At the
// shutdown nobody waits for the process.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.saw("0s start")
		w.refuse = syscall.EPERM
		w.sleep(time.Second)
		before := w.status()
		const line = "1s say svinit: warning: unable to signal web (pid 101, uid 33): operation not permitted"
		w.command("t")
		w.saw("1s TERM", line)
		w.command("pk")
		w.saw("1s STOP", "1s KILL")
		if after := w.status(); after != before {
			t.Errorf("the status was %+v and is %+v", before, after)
		}
		w.svc.cfg.stopping.Store(true)
		w.svc.order(machine.Release)
		synctest.Wait()
		w.saw("1s TERM", "1s CONT", "1s released")
	})
}

// What a process has left running is reported a second after its end, once for
// the same programs, and not while everything is stopped.
func TestLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.saw("0s start")
		w.leave(proc.Process{PID: 7, Name: "nginx", Session: 101}, proc.Process{PID: 8, Name: "nginx", Session: 101})
		w.sleep(time.Minute)
		w.exit(101, 0)
		w.saw("1m0s start", "1m0s say svinit: web died: exit code 0 after 1m0s; restarting")
		w.sleep(time.Second)
		w.saw("1m1s say svinit: web has ended, but nginx (pid 7), nginx (pid 8) still run: svinit supervises only the process that it has started")

		w.leave(proc.Process{PID: 9, Name: "nginx", Session: 102})
		w.exit(102, sec)
		w.saw("1m1s start", "1m1s say svinit: web died: exit code 1 after 1s; restarting")
		w.sleep(30 * time.Second)
		w.saw()

		w.leave(proc.Process{PID: 10, Name: "php", Session: 103})
		w.exit(103, 0)
		w.leave() // it ends soon
		w.sleep(time.Second)
		w.saw("1m31s start", "1m31s say svinit: web died: exit code 0 after 30s; restarting")

		w.leave(proc.Process{PID: 10, Name: "php", Session: 104})
		w.svc.cfg.stopping.Store(true)
		w.exit(104, 0)
		w.sleep(10 * time.Second)
		w.saw("1m32s start", "1m32s say svinit: web died: exit code 0 after 1s; restarting")
	})
}
