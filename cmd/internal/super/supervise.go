package super

import (
	"errors"
	"syscall"

	"svinit/cmd/internal/applet"
	"svinit/services"
	"svinit/services/svdir"
)

// Supervise is supervise(8): it supervises one service.
var Supervise = applet.Command{
	Name:     "supervise",
	Synopsis: "supervise dir",
	Summary:  "start and monitor a service",
	Section:  8,
	Help: `Starts ./run in dir, unless the file dir/down exists, and restarts it when it
exits. svc sends commands to it. After svc -x it exits when the service is down.
On TERM or INT it stops the service and exits; the second signal kills the service.
`,
	Run: runSupervise,
}

func runSupervise(e *applet.Env) error {
	if len(e.Args) != 1 {
		return applet.ErrUsage
	}
	name := e.Args[0]
	dir, err := chdir(name)
	if err != nil {
		return err
	}
	d, err := newDaemon(e)
	if err != nil {
		return err
	}
	// Our standard input, as in daemontools: svscan of daemontools starts supervise
	// for a logger with the pipe as its standard input.
	d.Config.Stdin = 0
	s, err := services.NewSingle(&d.Config, name, dir)
	if errors.Is(err, svdir.ErrLocked) {
		return applet.Fatal("unable to acquire "+name+"/supervise/lock", syscall.EAGAIN)
	}
	if err != nil {
		return applet.Fatal("unable to supervise "+name, err)
	}
	d.run(s, func() {})
	return nil
}
