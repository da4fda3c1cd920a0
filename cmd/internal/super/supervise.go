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
	Help: `Starts ./run in dir, unless there is a file dir/down, and starts it again when
it ends. Commands come from svc. Ends after svc -x when the service is down.
TERM or INT stops the service and ends supervise; the second one kills.
`,
	Run: supervise,
}

func supervise(e *applet.Env) error {
	if len(e.Args) != 1 {
		return applet.ErrUsage
	}
	name := e.Args[0]
	dir, err := enter(name)
	if err != nil {
		return err
	}
	en, err := newEngine(e)
	if err != nil {
		return err
	}
	// Ours, as in daemontools: a supervise that svscan runs for a logger has
	// the pipe there.
	en.Config.Stdin = 0
	s, err := services.NewSingle(&en.Config, name, dir)
	if errors.Is(err, svdir.ErrLocked) {
		return applet.Fatal("unable to acquire "+name+"/supervise/lock", syscall.EAGAIN)
	}
	if err != nil {
		return applet.Fatal("unable to supervise "+name, err)
	}
	en.run(s, func() {})
	return nil
}
