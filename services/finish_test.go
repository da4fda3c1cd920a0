package services

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"svinit/services/machine"
	"svinit/services/svdir"
)

// put writes a file of the service directory, executable where the content
// begins with "#!".
func (w *world) put(name, content string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	mode := os.FileMode(0o644)
	if len(content) > 1 && content[:2] == "#!" {
		mode = 0o755
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		w.t.Fatal(err)
	}
}

func TestFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.put("finish", "#!")
		w.command("u")
		w.sleep(2 * time.Second)
		w.exit(101, 3*sec)
		w.saw("0s start", "2s start ./finish 3 0 web 101", "2s say svinit: web died: exit code 3 after 2s; running finish")
		if st := w.status(); st.State != svdir.StateFinish || st.PID != 102 {
			t.Errorf("status %+v", st)
		}
		w.exit(102, 0)
		w.saw("2s start")
		// After a signal the first argument is 256, as in s6. A finish that takes
		// longer than the second between two starts delays nothing more.
		w.exit(103, 9)
		w.sleep(3 * time.Second)
		w.exit(104, 7*sec)
		w.saw("2s start ./finish 256 9 web 103", "2s say svinit: web died: killed by signal KILL after 0s; running finish", "5s start")
		w.put("flag-runit-finish", "")
		w.sleep(time.Second)
		w.exit(105, 9)
		w.exit(106, 0)
		w.saw("6s start ./finish 256 9 web 105", "6s say svinit: web died: killed by signal KILL after 1s; running finish", "6s start")
		w.sleep(time.Second)
		w.exit(107, 9)
		w.saw("7s start ./finish -1 9 web 107", "7s say svinit: web died: killed by signal KILL after 1s; running finish")
		// 125 gives the service up.
		w.exit(108, 125*sec)
		w.sleep(time.Hour)
		w.saw("7s say svinit: web is given up: finish ended with 125; svc -u starts it again")
		if st := w.status(); st.PID != 0 || st.Want != svdir.WantDown {
			t.Errorf("status %+v", st)
		}
		w.command("u")
		w.saw("1h0m7s start")
	})
}

// A finish that hangs is killed after five seconds, or what timeout-finish says.
func TestFinishTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.put("finish", "#!")
		w.command("u")
		w.sleep(2 * time.Second)
		w.exit(101, 0)
		w.command("d")
		w.sleep(6 * time.Second)
		w.saw("0s start", "2s start ./finish 0 0 web 101", "2s say svinit: web died: exit code 0 after 2s; running finish",
			"7s say svinit: web killing its finish, which has not ended in time", "7s KILL all")
		w.exit(102, 9)
		w.saw()
		w.put("timeout-finish", "0")
		w.command("u")
		w.sleep(2 * time.Second)
		w.exit(103, 0)
		w.sleep(time.Hour)
		w.saw("8s start", "10s start ./finish 0 0 web 103", "10s say svinit: web died: exit code 0 after 2s; running finish")
		w.exit(104, 0)
		w.saw("1h0m10s start")
	})
}

// At the shutdown finish runs too, and is killed at the deadline.
func TestFinishAtStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.put("finish", "#!")
		w.put("timeout-finish", "0")
		w.command("u")
		w.svc.order(machine.Release)
		synctest.Wait()
		w.exit(101, 15)
		w.saw("0s start", "0s TERM", "0s CONT", "0s start ./finish 256 15 web 101")
		w.sleep(8 * time.Second)
		w.svc.order(machine.Kill)
		synctest.Wait()
		w.exit(102, 9)
		w.saw("8s say svinit: web killing its finish, which has not ended in time", "8s KILL all", "8s released")
	})
}

// A finish that cannot be run costs a line, and the service goes on.
func TestFinishFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.put("finish", "#!")
		w.command("u")
		w.sleep(2 * time.Second)
		w.finishExec = syscall.ENOEXEC
		w.exit(101, 0)
		w.sleep(time.Second)
		w.saw("0s start", "2s start ./finish 0 0 web 101", "2s say svinit: web died: exit code 0 after 2s; running finish",
			"2s say svinit: warning: unable to run finish of web: "+w.dir+"/finish has no interpreter after the #! of its first line", "2s start")
	})
}

func TestStopSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.put("down-signal", "INT\n")
		w.put("reload-signal", "USR1")
		w.put("timeout-kill", "3000")
		w.command("u")
		w.command("l")
		w.command("h")
		w.saw("0s start", "0s USR1", "0s HUP")
		w.command("r")
		w.sleep(2 * time.Second)
		w.command("d")
		w.sleep(2 * time.Second)
		w.saw("0s INT", "0s CONT", "2s INT", "2s CONT", "3s KILL", "3s say svinit: web did not stop in time: killing pid 101")
		w.exit(101, 9)
		w.sleep(time.Hour)
		w.saw()
		w.put("flag-stop-group", "")
		w.put("flag-timeout-killpg", "")
		w.put("down-signal", "bad")
		w.command("u")
		w.command("d")
		w.sleep(3 * time.Second)
		w.saw("1h0m4s start", "1h0m4s say svinit: warning: unable to use "+w.dir+"/down-signal: \"bad\" is not a signal, as TERM or 15 is",
			"1h0m4s TERM all", "1h0m4s CONT all", "1h0m7s KILL all", "1h0m7s say svinit: web did not stop in time: killing pid 102")
	})
}

// An executable control/LETTER is run in place of the signal, if it exits with 0.
func TestControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "down")
		w.put("control/t", "#!")
		w.put("control/d", "#!")
		w.put("control/h", "#!")
		w.command("u")
		w.command("h")
		w.saw("0s start", "0s start ./control/h")
		w.exit(102, 0)
		w.command("h")
		w.exit(103, sec)
		w.saw("0s start ./control/h", "0s HUP")
		// t stands for the stop signal, CONT follows it, and d is run after it.
		w.command("d")
		w.saw("0s start ./control/t")
		w.command("1k") // KILL waits for nothing
		w.saw("0s KILL")
		w.exit(104, 0)
		w.saw("0s CONT", "0s start ./control/d")
		w.exit(101, 9)
		w.exit(105, 0) // USR1 has nobody to go to
		w.saw()
		// One that hangs is killed, and its signal sent.
		w.command("u")
		w.sleep(time.Second)
		w.command("t")
		w.sleep(6 * time.Second)
		w.saw("1s start", "1s start ./control/t", "6s say svinit: web killing its control, which has not ended after 5s", "6s KILL all")
		w.exit(107, 9)
		w.saw("7s TERM")
	})
}
