package spawn

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// ForkExec returns the error of execve and leaves no child behind, and a child can be
// without a standard stream, in another directory, and with signals blocked and ignored.
func TestForkExec(t *testing.T) {
	each(t, func(t *testing.T) {
		if _, err := ForkExec("/nonexistent", []string{"x"}, &syscall.ProcAttr{}, Inheritance{}); err != syscall.ENOENT {
			t.Errorf("%v, want ENOENT", err)
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		dir, err := unix.Open("/usr", unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(dir)
		const script = `pwd; test -e /proc/$$/fd/0 || echo closed; exec grep -E "SigBlk|SigIgn" /proc/self/status`
		pid, err := ForkExec("/bin/sh", []string{"sh", "-c", script}, &syscall.ProcAttr{Files: []uintptr{NoFile, w.Fd(), 2}},
			Inheritance{Open: true, Directory: dir, Blocked: 1<<(syscall.SIGUSR1-1) | 1<<63, Ignored: 1<<(syscall.SIGHUP-1) | 1<<62})
		w.Close()
		if err != nil {
			t.Fatal(err)
		}
		wait(t, pid)
		buf := make([]byte, 4096)
		n, _ := r.Read(buf)
		want := "/usr\nclosed\nSigBlk:\t8000000000000200\nSigIgn:\t4000000000000001\n"
		// Signal 32 belongs to the C library, which may have it ignored.
		got := strings.Replace(string(buf[:n]), "SigIgn:\t4000000080000001\n", "SigIgn:\t4000000000000001\n", 1)
		if !strings.HasSuffix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
