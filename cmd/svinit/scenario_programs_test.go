package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// lease holds a write lease on a file (fcntl(2)). Until it is given back, or the
// kernel's /proc/sys/fs/lease-break-time (45 s) has passed, whoever executes the
// file waits in the kernel.
func lease(ts *testscript.TestScript, neg bool, args []string) {
	leases := instanceOf(ts).leases
	if neg {
		leases[args[0]].Close()
		return
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	ts.Defer(func() { f.Close() })
	leases[args[0]] = f
	// The holder is asked for it by SIGIO, whose default is to end the process.
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETSIG, int(unix.SIGURG))
	ts.Check(err)
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK)
	ts.Check(err)
}

// makeOrphans is the program wreck, which makes orphans: children of children that
// have exited. Its argument is their number.
func makeOrphans() {
	n, _ := strconv.Atoi(os.Args[1])
	null, _ := os.OpenFile("/dev/null", os.O_RDWR, 0)
	for range n {
		cmd := exec.Command("/bin/sh", "-c", "true & exit 0")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = null, null, null
		if err := cmd.Run(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	io.WriteString(os.Stdout, "wrecked\n")
}

// writeLines is the program lines NAME N. It writes N numbered lines of up to 4096
// bytes, the most that one write puts into a pipe whole, with a write for each.
func writeLines() {
	n, _ := strconv.Atoi(os.Args[2])
	for i := range n {
		line := fmt.Sprintf("%s %d ", os.Args[1], i)
		line += strings.Repeat("x", i*7919%(4096-len(line)-1)) + ".\n"
		if _, err := io.WriteString(os.Stdout, line); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
