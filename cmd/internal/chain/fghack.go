package chain

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
)

const fghackSynopsis = "fghack child"

// Fghack is fghack(8).
var Fghack = applet.Command{
	Name:     "fghack",
	Synopsis: fghackSynopsis,
	Summary:  "keep a program that puts itself into the background in the foreground",
	Section:  8,
	Help: `Starts the program child and waits until it and all its descendants have ended, or
have closed the pipe that they inherit without knowing: many descriptors of it,
since some daemons close those that they find. Exits as child did.
`,
	Run: func(e *applet.Env) error { return first(e, fghack) },
}

// spares is how many more descriptors of the pipe the child gets.
const spares = 30

// outOfTheWay is above the numbers that the spares get.
const outOfTheWay = 500

func fghack(l *link) error {
	if len(l.Args) == 0 {
		return applet.ErrUsage
	}
	var p [2]int
	if err := syscall.Pipe2(p[:], 0); err != nil {
		return applet.Fatal("unable to create pipe", err)
	}
	pid, err := l.forkWith(p)
	if err != nil {
		if err == syscall.EAGAIN || err == syscall.ENOMEM {
			return applet.Fatal("unable to fork", err)
		}
		return applet.Fatal("unable to run "+l.Args[0], err)
	}
	// Until the last of them has closed it. What they write there is lost.
	var b [512]byte
	for {
		n, err := syscall.Read(p[0], b[:])
		if n == 0 || err != nil && err != syscall.EINTR {
			break
		}
	}
	var status syscall.WaitStatus
	for {
		if _, err = syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			break
		}
	}
	switch {
	case err != nil:
		return applet.Fatal("wait failed", err)
	case status.Signaled():
		return applet.Fatal("child crashed", nil)
	case status.ExitStatus() != 0:
		return applet.Silent(status.ExitStatus())
	}
	return nil
}

// forkWith starts the rest of the arguments with the write end of the pipe and
// its spares, which are made here and closed again, since nothing can be done
// between fork and exec. The read end is out of the way first, so that the
// spares have the numbers that they have in the original.
func (l *link) forkWith(p [2]int) (pid int, err error) {
	read, err := unix.FcntlInt(uintptr(p[0]), unix.F_DUPFD_CLOEXEC, outOfTheWay)
	if err != nil { // above the hard limit
		read, err = unix.FcntlInt(uintptr(p[0]), unix.F_DUPFD_CLOEXEC, p[1]+spares+10)
	}
	if err != nil {
		read = p[0]
		syscall.CloseOnExec(read)
	} else {
		defer func() {
			syscall.Dup3(read, p[0], syscall.O_CLOEXEC)
			syscall.Close(read)
		}()
		syscall.Close(p[0])
	}
	writers := []int{p[1]}
	defer func() {
		for _, fd := range writers {
			syscall.Close(fd)
		}
	}()
	for range spares {
		if fd, err := syscall.Dup(p[1]); err == nil {
			writers = append(writers, fd)
		}
	}
	attr := &syscall.ProcAttr{Env: l.environ.given, Files: []uintptr{0, 1, 2}}
	undo := l.limits.impose()
	defer undo()
	err = syscall.ENOENT
	for _, path := range candidates(l.Args[0], l.environ.given) {
		if _, gone := os.Lstat(path); os.IsNotExist(gone) {
			continue // without a fork
		}
		pid, e := syscall.ForkExec(path, l.Args, attr)
		for e == syscall.EMFILE && len(writers) > 1 {
			// ForkExec wants two descriptors for itself.
			last := len(writers) - 1
			syscall.Close(writers[last])
			writers = writers[:last]
			pid, e = syscall.ForkExec(path, l.Args, attr)
		}
		if e == nil {
			return pid, nil
		}
		errno, _ := e.(syscall.Errno)
		if errno != syscall.ENOENT {
			err = e
		}
		if !passes(errno) {
			break
		}
	}
	return 0, err
}
