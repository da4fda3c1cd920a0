package chain

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/services/program"
)

const fghackSynopsis = "fghack child"

// Fghack is fghack(8).
var Fghack = applet.Command{
	Name:     "fghack",
	Synopsis: fghackSynopsis,
	Summary:  "keep a daemon that forks into the background in the foreground",
	Section:  8,
	Help: `Starts the program child and waits until it and all its descendants have exited or
have closed a pipe that they inherit. They inherit many descriptors of it, because
some daemons close a number of descriptors. Exits with the exit code of child.
`,
	Run: func(e *applet.Env) error { return runFirst(e, fghack) },
}

// extraDups is how many duplicates of the pipe's descriptor the child gets.
const extraDups = 30

// highFD is above the descriptors of the duplicates.
const highFD = 500

func fghack(s *stage) error {
	if len(s.Args) == 0 {
		return applet.ErrUsage
	}
	var p [2]int
	if err := syscall.Pipe2(p[:], 0); err != nil {
		return applet.Fatal("unable to create pipe", err)
	}
	pid, err := s.forkWith(p)
	if err != nil {
		if err == syscall.EAGAIN || err == syscall.ENOMEM {
			return applet.Fatal("unable to fork", err)
		}
		return applet.Fatal("unable to run "+s.Args[0], err)
	}
	// End of file comes when the last writer has closed it. Data is discarded.
	var b [512]byte
	for {
		n, err := syscall.Read(p[0], b[:])
		if n == 0 || err != nil && err != syscall.EINTR {
			break
		}
	}
	status, err := program.Wait(pid)
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

// forkWith starts the child with the write end of the pipe and its duplicates,
// which it creates and closes again in this process, because Go cannot run code
// between fork and exec. It first moves the read end to highFD, so that the
// duplicates have the same numbers as in the original.
func (s *stage) forkWith(p [2]int) (pid int, err error) {
	read, err := unix.FcntlInt(uintptr(p[0]), unix.F_DUPFD_CLOEXEC, highFD)
	if err != nil { // highFD is above the limit on open files
		read, err = unix.FcntlInt(uintptr(p[0]), unix.F_DUPFD_CLOEXEC, p[1]+extraDups+10)
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
	for range extraDups {
		if fd, err := syscall.Dup(p[1]); err == nil {
			writers = append(writers, fd)
		}
	}
	attr := &syscall.ProcAttr{Env: s.environ.inherited, Files: []uintptr{0, 1, 2}}
	undo := s.limits.applyForChild()
	defer undo()
	err = syscall.ENOENT
	for _, path := range candidates(s.Args[0], s.environ.inherited) {
		if _, err := os.Lstat(path); os.IsNotExist(err) {
			continue // saves a fork
		}
		pid, e := program.ForkExec(path, s.Args, attr)
		for e == syscall.EMFILE && len(writers) > 1 {
			// ForkExec needs two descriptors itself.
			last := len(writers) - 1
			syscall.Close(writers[last])
			writers = writers[:last]
			pid, e = program.ForkExec(path, s.Args, attr)
		}
		if e == nil {
			return pid, nil
		}
		errno, _ := e.(syscall.Errno)
		if errno != syscall.ENOENT {
			err = e
		}
		if !continueSearch(errno) {
			break
		}
	}
	return 0, err
}
