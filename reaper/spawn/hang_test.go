//go:build amd64 || arm64

package spawn

import (
	"io"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hang makes a script whose interpreter hangs in execve: this process holds a
// write lease on it (fcntl(2)), as any owner of a file may. end gives it back.
func hang(t testing.TB) (script string, end func()) {
	t.Helper()
	dir := t.TempDir()
	interpreter := dir + "/interpreter"
	if err := os.WriteFile(interpreter, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	script = dir + "/script"
	if err := os.WriteFile(script, []byte("#!"+interpreter+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(interpreter, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	// The kernel tells the holder by SIGIO, whose default is to end it.
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETSIG, int(unix.SIGURG)); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		t.Fatal(err)
	}
	return script, func() { f.Close() }
}

// Children that hang in execve stop nothing: others are started, collections
// run, and a signal ends them.
func TestHang(t *testing.T) {
	each(t, func(t *testing.T) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		var hung []*Process
		for range 20 {
			script, _ := hang(t)
			p, err := Start(script, []string{script}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}}, nil, false)
			if err != nil {
				t.Fatal(err)
			}
			hung = append(hung, p)
		}
		begun := time.Now()
		for range 20 {
			runtime.GC()
			if ws, _ := run(t, "exit 3", nil); ws.ExitStatus() != 3 {
				t.Errorf("status %#x", ws)
			}
		}
		if d := time.Since(begun); d > 20*time.Second {
			t.Errorf("20 starts beside 20 that hang took %v", d)
		}
		for _, p := range hung {
			if _, known := p.Outcome(); known {
				t.Error("a start that hangs has an outcome")
			}
			if err := syscall.Kill(p.PID, syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
		for _, p := range hung {
			if ws := wait(t, p.PID); !ws.Signaled() || ws.Signal() != syscall.SIGTERM {
				t.Errorf("status %#x", ws)
			}
			if err, known := p.Outcome(); err != nil || !known {
				t.Errorf("after its end: %v, %v", err, known)
			}
			p.Close()
		}
	})
}

// A start that hung goes on when the file is free, and has the same outcome as
// any other.
func TestHangEnds(t *testing.T) {
	script, end := hang(t)
	p, err := Start(script, []string{script}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}}, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, known := p.Outcome(); known {
		t.Error("it does not hang")
	}
	end()
	if err := await(t, p); err != nil {
		t.Error(err)
	}
	if ws := wait(t, p.PID); ws != 0 {
		t.Errorf("status %#x", ws)
	}
}

// A child that hangs holds no descriptor of ours, so that the reader of another
// one's pipe sees its end.
func TestHungHoldsNothing(t *testing.T) {
	each(t, func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		script, _ := hang(t)
		p, err := Start(script, []string{script}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}}, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		r.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := r.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%v, want the end of the file", err)
		}
		syscall.Kill(p.PID, syscall.SIGKILL)
		wait(t, p.PID)
		p.Close()
	})
}
