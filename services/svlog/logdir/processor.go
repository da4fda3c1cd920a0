package logdir

import (
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/services/program"
)

// process runs the processor until it succeeds, and syncs its results to disk.
func (d *Dir) process() error {
	for {
		what, err := d.run()
		if what == "" {
			break
		}
		if !d.config.Pause(what, err) {
			return unix.ECANCELED
		}
	}
	fd := -1
	open := func(name string) error {
		return d.again("unable to create "+d.name+"/"+name, func() (err error) {
			fd, err = openat(d.fd, name, unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT, 0o600)
			return err
		})
	}
	sync := func(name string) error {
		return d.again("unable to write "+d.name+"/"+name+" to disk", func() error { return unix.Fsync(fd) })
	}
	err := open("processed")
	if err != nil {
		return err
	}
	if err = sync("processed"); err == nil {
		err = d.again("unable to set mode of "+d.name+"/processed", func() error { return unix.Fchmod(fd, 0o744) })
	}
	unix.Close(fd)
	if err != nil {
		return err
	}
	if err = open("newstate"); err != nil {
		return err
	}
	err = sync("newstate")
	unix.Close(fd)
	if err != nil {
		return err
	}
	if err := d.again("unable to remove "+d.name+"/previous", func() error { return unix.Unlinkat(d.fd, "previous", 0) }); err != nil {
		return err
	}
	return d.again("unable to rename newstate to state in directory "+d.name, func() error {
		return unix.Renameat(d.fd, "newstate", d.fd, "state")
	})
}

// run runs the processor once, in the directory, with previous on its
// descriptor 0, processed on 1, state on 4 and newstate on 5. When it exits with
// 0, what is "".
func (d *Dir) run() (what string, err error) {
	files := [...]struct {
		name string
		how  int
		at   int
	}{
		{"previous", unix.O_RDONLY, 0},
		{"processed", unix.O_WRONLY | unix.O_TRUNC | unix.O_CREAT, 1},
		{"state", unix.O_RDONLY, 4},
		{"newstate", unix.O_WRONLY | unix.O_TRUNC | unix.O_CREAT, 5},
	}
	const none = ^uintptr(0)
	fds := [...]uintptr{none, none, 2, none, none, none}
	for _, f := range files {
		fd, err := openat(d.fd, f.name, f.how, 0o644)
		if err != nil {
			d.config.Say("unable to run "+*d.config.Processor, err)
			return "processor failed in " + d.name, nil
		}
		defer unix.Close(fd)
		fds[f.at] = uintptr(fd)
	}
	pid, err := d.fork(fds[:])
	if err != nil {
		return "unable to fork for processor in " + d.name, err
	}
	status, err := program.Wait(pid)
	switch {
	case err != nil:
		return "wait failed for processor in " + d.name, err
	case status.Signaled():
		// daemontools adds the reason of an unrelated earlier error; we add none.
		return "processor crashed in " + d.name, nil
	case status.ExitStatus() != 0:
		return "processor failed in " + d.name, nil
	}
	return "", nil
}

// fork starts the processor in the directory: by its descriptor in /proc, and
// where that is not mounted by the name given to Open. Our own current directory
// stays as it is, because the names of other directories are relative to it.
func (d *Dir) fork(fds []uintptr) (pid int, err error) {
	argv := []string{"sh", "-c", *d.config.Processor}
	attr := &syscall.ProcAttr{Dir: "/proc/self/fd/" + strconv.Itoa(d.fd), Env: d.config.Environ, Files: fds}
	pid, err = syscall.ForkExec("/bin/sh", argv, attr)
	if err == syscall.ENOENT {
		attr.Dir = d.name
		pid, err = syscall.ForkExec("/bin/sh", argv, attr)
	}
	return pid, err
}
