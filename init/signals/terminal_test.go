//go:build amd64 || arm64

package signals

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// writeBehind writes to its terminal, which is its descriptor 3.
func writeBehind() {
	l := mustListen()
	go report(l)
	n, err := unix.Write(3, []byte("hello\n"))
	tell("wrote %d, %v", n, err)
	<-input
}

// A process that writes to a terminal from the background gets SIGTTOU, and its
// write is restarted: that must not go on without end.
func TestBackground(t *testing.T) {
	master, slave := terminal(t)
	// The session's leader, a shell with job control, stays in the foreground.
	p := start(t, "back", func(c *exec.Cmd) {
		c.Args = []string{"sh", "-mc", `stty tostop <&3; "$0" <&4 & read -r x <&3; exec 4<&-; wait $!`, c.Path}
		c.Path = "/bin/sh"
		c.ExtraFiles = []*os.File{slave, c.Stdin.(*os.File)}
		c.Stdin = slave
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	})
	p.expect("wrote 6, <nil>")
	if _, err := master.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
}

// terminal makes a pseudo-terminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	var n int
	if err == nil {
		n, err = unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(errors.Join(errors.New("make a terminal"), err))
	}
	t.Cleanup(func() { master.Close(); slave.Close() })
	return master, slave
}
