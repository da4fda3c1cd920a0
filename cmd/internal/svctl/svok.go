package svctl

import (
	"errors"
	"io/fs"
	"syscall"

	"svinit/cmd/internal/applet"
	"svinit/services/svdir"
)

// Svok is svok(8). Arguments after the first are ignored, as by daemontools.
var Svok = applet.Command{
	Name:     "svok",
	Synopsis: "svok dir",
	Summary:  "say whether a service is supervised",
	Section:  8,
	Help: `Exits 0 if the service is supervised, 100 if it is not, and 111 with a message on an
error.
`,
	Run:         runSvok,
	KeepSignals: []syscall.Signal{syscall.SIGPIPE},
}

func runSvok(e *applet.Env) error {
	if len(e.Args) == 0 {
		return applet.ErrUsage
	}
	arg := e.Args[0]
	x := explainer{e: e}
	dir, err := findDir(e, arg)
	if err != nil {
		x.explain(arg, err)
		return applet.Fatal("unable to chdir to "+arg, err)
	}
	if _, err = findState(e, dir); err == nil {
		return nil
	}
	if err == svdir.ErrNotRunning || errors.Is(err, fs.ErrNotExist) {
		return applet.Silent(applet.ExitPermanent)
	}
	if err == svdir.ErrElsewhere {
		return &applet.Exit{Code: applet.ExitPermanent, Line: "svok: " + arg + ": " + err.Error()}
	}
	x.explain(arg, err)
	return applet.Fatal("unable to open "+arg+"/supervise/ok", err)
}
