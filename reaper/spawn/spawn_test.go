//go:build amd64 || arm64

package spawn

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"svinit/reaper/inherit"
)

// await waits for the outcome, and fails the test when it takes too long.
func await(t testing.TB, p *Process) error {
	t.Helper()
	for {
		err, known := p.Outcome()
		if known {
			p.Close()
			return err
		}
		if n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.Fd()), Events: unix.POLLIN}}, 20_000); n != 1 && err != unix.EINTR {
			t.Fatalf("no outcome of pid %d: %v", p.PID, err)
		}
	}
}

func wait(t testing.TB, pid int) syscall.WaitStatus {
	t.Helper()
	var ws syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &ws, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			t.Fatalf("wait for %d: %v", pid, err)
		}
		return ws
	}
}

// run starts a shell command and returns its status and what it wrote.
func run(t testing.TB, script string, change func(*syscall.ProcAttr)) (syscall.WaitStatus, string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	attr := &syscall.ProcAttr{Env: []string{"A=1", "PATH=/bin:/usr/bin"}, Files: []uintptr{0, w.Fd(), 2}, Sys: &syscall.SysProcAttr{Setsid: true}}
	if change != nil {
		change(attr)
	}
	p, err := Start("/bin/sh", []string{"sh", "-c", script}, attr, nil, false)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := await(t, p); err != nil {
		t.Fatalf("exec: %v", err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return wait(t, p.PID), string(text)
}

// each runs a test with each kind of clone.
func each(t *testing.T, test func(t *testing.T)) {
	for m, name := range map[method]string{byClone3: "clone3", byClone: "clone", byFork: "fork"} {
		t.Run(name, func(t *testing.T) {
			defer func(m method) { chosen = m }(chosen)
			chosen = m
			test(t)
		})
	}
}

// A child has its own session, an empty mask, default actions, the descriptors
// that it was given and no other, and its limit of open files.
func TestWhatAChildGets(t *testing.T) {
	each(t, func(t *testing.T) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		blocked := unix.Sigset_t{Val: [16]uint64{1<<(syscall.SIGUSR1-1) | 1<<(syscall.SIGTERM-1)}}
		var old unix.Sigset_t
		if err := unix.PthreadSigmask(unix.SIG_BLOCK, &blocked, &old); err != nil {
			t.Fatal(err)
		}
		defer unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)

		_, out := run(t, "exec cat /proc/self/status", nil)
		for _, line := range []string{"SigBlk:\t0000000000000000", "SigCgt:\t0000000000000000"} {
			if !strings.Contains(out, line+"\n") {
				t.Errorf("no line %q in\n%s", line, out)
			}
		}
		if _, out := run(t, "exec ls /proc/self/fd", nil); out != "0\n1\n2\n3\n" { // ls opens the directory
			t.Errorf("descriptors %q", out)
		}
		if ws, out := run(t, `echo $A; pwd; set -- $(cat /proc/$$/stat); test $5 = $1 && test $6 = $1; exit $?`, func(a *syscall.ProcAttr) { a.Dir = "/usr" }); ws != 0 || out != "1\n/usr\n" {
			t.Errorf("status %#x, output %q", ws, out)
		}
		if _, out := run(t, "ulimit -Sn", nil); inherit.OpenFilesChanged() && out != fmt.Sprintln(inherit.OpenFiles()[0]) {
			t.Errorf("%s open files, want %d", out, inherit.OpenFiles()[0])
		}
		if ws, _ := run(t, "kill -KILL $$", nil); ws != 9 {
			t.Errorf("status %#x", ws)
		}
		if mask := currentMask(t); mask&blocked.Val[0] != blocked.Val[0] {
			t.Errorf("our own mask is %#x", mask)
		}
	})
}

func currentMask(t *testing.T) uint64 {
	var now unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, nil, &now); err != nil {
		t.Fatal(err)
	}
	return now.Val[0]
}

// Descriptors that stand where others go change places.
func TestFilesChangePlaces(t *testing.T) {
	each(t, func(t *testing.T) {
		var names [3]string
		var fds [3]uintptr
		for i := range names {
			f, err := os.Create(filepath.Join(t.TempDir(), "file"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			names[i], fds[i] = f.Name(), f.Fd()
		}
		// The child of a child has them as 0, 1 and 2, and exchanges those.
		if os.Getenv("SPAWN_SWAP") != "" {
			p, err := Start("/bin/sh", []string{"sh", "-c", "echo a >&0; echo b >&1; echo c >&2"}, &syscall.ProcAttr{Files: []uintptr{1, 2, 0}}, nil, false)
			if err != nil {
				t.Fatal(err)
			}
			await(t, p)
			os.Exit(wait(t, p.PID).ExitStatus())
		}
		attr := &syscall.ProcAttr{Env: append(os.Environ(), "SPAWN_SWAP=1"), Files: fds[:]}
		p, err := Start("/proc/self/exe", []string{"spawn.test", "-test.run", "^" + t.Name() + "$"}, attr, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := await(t, p); err != nil {
			t.Fatal(err)
		}
		if ws := wait(t, p.PID); ws != 0 {
			t.Errorf("status %#x", ws)
		}
		got := ""
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got += string(text)
		}
		if got != "c\na\nb\n" {
			t.Errorf("%q", got)
		}
	})
}

// A child can have descriptors beyond a gap, which stays closed.
func TestGap(t *testing.T) {
	each(t, func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		files := []uintptr{0, w.Fd(), 2}
		for len(files) < 60 {
			files = append(files, NoFile)
		}
		p, err := Start("/bin/sh", []string{"sh", "-c", "exec ls /proc/self/fd"}, &syscall.ProcAttr{Files: append(files, w.Fd())}, nil, false)
		w.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := await(t, p); err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(r); string(text) != "0\n1\n2\n3\n60\n" || err != nil { // ls opens the directory
			t.Errorf("descriptors %q, %v", text, err)
		}
		wait(t, p.PID)
	})
}

// Each system call that fails says so by its errno, and leaves a child that
// ended with 127.
func TestFailures(t *testing.T) {
	each(t, func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/text", []byte("echo"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/plain", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			path string
			attr syscall.ProcAttr
			want error
		}{
			{"/nonexistent", syscall.ProcAttr{}, syscall.ENOENT},
			{dir + "/plain", syscall.ProcAttr{}, syscall.EACCES},
			{dir + "/text", syscall.ProcAttr{}, syscall.ENOEXEC},
			{"/bin/true", syscall.ProcAttr{Dir: "/nonexistent"}, syscall.ENOENT},
			{"/bin/true", syscall.ProcAttr{Files: []uintptr{9999}}, syscall.EBADF},
			{"/bin/true", syscall.ProcAttr{Sys: &syscall.SysProcAttr{Setctty: true, Ctty: 0}, Files: []uintptr{0}}, nil},
		} {
			p, err := Start(c.path, []string{"x"}, &c.attr, nil, false)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == nil {
				await(t, p) // some errno or none, by where the test runs
				wait(t, p.PID)
				continue
			}
			if err := await(t, p); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.path, err, c.want)
			}
			if ws := wait(t, p.PID); ws.ExitStatus() != 127 {
				t.Errorf("%s: status %#x", c.path, ws)
			}
		}
		if _, err := Start("/bin/tr\x00ue", nil, &syscall.ProcAttr{}, nil, false); err != syscall.EINVAL {
			t.Errorf("a NUL: %v", err)
		}
	})
}

// Starts from many goroutines, some of which fail, with collections and signals
// between them: every outcome is right, and nothing is left open.
func TestStorm(t *testing.T) {
	each(t, func(t *testing.T) {
		rounds := 150
		if testing.Short() {
			rounds = 20
		}
		open := func() int {
			names, err := os.ReadDir("/proc/self/fd")
			if err != nil {
				t.Fatal(err)
			}
			return len(names)
		}
		before := open()
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for i := range rounds {
					path, code := "/bin/sh", (g*rounds+i)%100
					if i%10 == 9 {
						path = "/nonexistent"
					}
					p, err := Start(path, []string{"sh", "-c", fmt.Sprintf("test $V = %d && exit %d", i, code)},
						&syscall.ProcAttr{Env: []string{fmt.Sprintf("V=%d", i)}, Files: []uintptr{0, 1, 2}}, nil, false)
					if err != nil {
						t.Error(err)
						return
					}
					if i%7 == 0 {
						runtime.GC()
					}
					syscall.Kill(os.Getpid(), syscall.SIGURG)
					err, ws := await(t, p), wait(t, p.PID)
					if path == "/nonexistent" {
						if err != syscall.ENOENT || ws.ExitStatus() != 127 {
							t.Errorf("%v, status %#x", err, ws)
						}
					} else if err != nil || ws.ExitStatus() != code {
						t.Errorf("%v, status %#x, want %d", err, ws, code)
					}
				}
			})
		}
		all.Wait()
		if after := open(); after != before {
			t.Errorf("%d descriptors before, %d after", before, after)
		}
	})
}

func BenchmarkStart(b *testing.B) {
	for m, name := range map[method]string{byClone3: "clone3", byClone: "clone", byFork: "fork"} {
		b.Run(name, func(b *testing.B) {
			defer func(m method) { chosen = m }(chosen)
			chosen = m
			for b.Loop() {
				p, err := Start("/bin/true", []string{"true"}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}}, nil, false)
				if err != nil {
					b.Fatal(err)
				}
				await(b, p)
				wait(b, p.PID)
			}
		})
	}
	b.Run("ForkExec", func(b *testing.B) {
		for b.Loop() {
			pid, err := syscall.ForkExec("/bin/true", []string{"true"}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}})
			if err != nil {
				b.Fatal(err)
			}
			wait(b, pid)
		}
	})
}
