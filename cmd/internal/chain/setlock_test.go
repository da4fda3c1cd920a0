package chain

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"svinit/cmd/internal/difftest"
)

// TestSetlock compares setlock and chpst with files of all kinds, locked or not.
func TestSetlock(t *testing.T) {
	kinds := map[string]string{"file": "content\n", "dir/": "", "sub/": ""}
	in := func(c difftest.Case) difftest.Case {
		c.Files = kinds
		return setup(c, func(dir string) error {
			for name, target := range map[string]string{"dangling": "made", "nowhere": "no/such", "loop": "loop", "link": "file"} {
				if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
					return err
				}
			}
			return syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600)
		})
	}
	for _, tool := range []string{"setlock", "setlock -n", "setlock -nx", "setlock -xX", "chpst -l", "chpst -L"} {
		for _, name := range []string{"new", "file", "dir", "dangling", "nowhere", "loop", "link", "fifo", "sub/new", "no/new", "file/new", "/dev/null", "", strings.Repeat("x", 256), strings.Repeat("x", 5000)} {
			compare(t, in(run(tool, name, "sh", "-c", "echo locked; ls /proc/$$/fd; exit 3")))
		}
		compare(t, in(run(tool+" new nonexist")), in(asUser(nobody, run(tool+" sub/new true"))), in(asUser(nobody, run(tool+" /root/new true"))), in(asUser(nobody, run(tool+" /etc/passwd true"))),
			in(viaBash("umask 0; RUN", run(tool+" new true"))), in(viaBash("umask 077; RUN", run(tool+" new true"))),
			in(sh(tool+" new", `grep -h flags /proc/$$/fdinfo/3; flock -n new true || echo taken; echo more >&3; cat new`)),
			in(viaBash(`exec 5>>file; flock -n 5 || exit; RUN 5>&-`, run(strings.Replace(strings.Replace(tool, "chpst -l", "chpst -L", 1), "setlock", "setlock -n", 1)+" file true"))),
			in(viaBash(`trap "" TERM; RUN`, run(tool+" dir true"))),
		)
	}
	compare(t,
		in(run("chpst -l file -u nobody sh -c", "id -u; ls /proc/$$/fd")), in(run("chpst -u nobody -l file true")), in(run("chpst -u nobody -L /etc/passwd true")),
		in(sh("setlock a setlock b setlock c", "ls /proc/$$/fd; ls")), in(sh("setlock a setlock -n a", "echo no")), in(sh("setlock a setlock -nx a", "echo no")),
	)
}

// TestSetlockWaits lets the original and ours wait for a lock.
func TestSetlockWaits(t *testing.T) {
	for _, tool := range []string{"setlock", "setlock -N", "setlock -nN", "setlock -x", "chpst -l"} {
		real := difftest.Real(t, strings.Fields(tool)[0], pkg(strings.Fields(tool)[0]))
		for _, program := range []string{real, difftest.Binary()} {
			lock := filepath.Join(difftest.OpenDir(t), "lock")
			held, err := os.OpenFile(lock, os.O_CREATE|os.O_WRONLY, 0o600)
			must(t, err)
			must(t, syscall.Flock(int(held.Fd()), syscall.LOCK_EX))
			words := append(strings.Fields(tool), lock, "cat", lock)
			cmd := exec.Command(program)
			cmd.Args = words
			out, err := cmd.StdoutPipe()
			must(t, err)
			must(t, cmd.Start())
			waitForLock(t, cmd.Process.Pid)
			_, err = held.WriteString("written before\n")
			must(t, err)
			held.Close()
			var b [100]byte
			n, _ := out.Read(b[:])
			if err := cmd.Wait(); err != nil || string(b[:n]) != "written before\n" {
				t.Errorf("%s %s: %q, %v", program, tool, b[:n], err)
			}
		}
	}
}

// waitForLock returns when the process waits for a lock.
func waitForLock(t *testing.T, pid int) {
	t.Helper()
	for {
		locks, err := os.ReadFile("/proc/locks")
		must(t, err)
		for line := range strings.Lines(string(locks)) {
			// 1: -> FLOCK  ADVISORY  WRITE 1234 ...
			f := strings.Fields(line)
			if len(f) > 5 && f[1] == "->" && f[5] == itoa(pid) {
				return
			}
		}
		if syscall.Kill(pid, 0) != nil {
			t.Fatal("the process has exited without waiting for the lock")
		}
	}
}

// TestSetlockKilledWhileWaiting sends signals to a waiting setlock.
func TestSetlockKilledWhileWaiting(t *testing.T) {
	for _, program := range []string{difftest.Real(t, "setlock", "daemontools"), difftest.Binary()} {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGKILL} {
			lock := filepath.Join(t.TempDir(), "lock")
			held, err := os.Create(lock)
			must(t, err)
			must(t, syscall.Flock(int(held.Fd()), syscall.LOCK_EX))
			cmd := exec.Command(program)
			cmd.Args = []string{"setlock", lock, "true"}
			must(t, cmd.Start())
			waitForLock(t, cmd.Process.Pid)
			must(t, cmd.Process.Signal(sig))
			cmd.Wait()
			held.Close()
			if got := cmd.ProcessState.Sys().(syscall.WaitStatus); got.Signal() != sig {
				t.Errorf("%s: %v after %v", program, cmd.ProcessState, sig)
			}
		}
	}
}
