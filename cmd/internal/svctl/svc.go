package svctl

import (
	"errors"
	"io/fs"
	"os/signal"
	"strings"
	"syscall"

	"svinit/cmd/internal/applet"
	"svinit/services/svdir"
)

// Svc is svc(8). As in daemontools its exit code is 0 even if no command could be sent;
// only wrong options cause another.
var Svc = applet.Command{
	Name:     "svc",
	Synopsis: "svc [-udopchaitkxq12byrlPCKO] dir ...",
	Summary:  "send commands to supervised services",
	Section:  8,
	Help: `Commands are letters, sent to every service in the order in which they are given:

  u  up: start it, and restart it when it ends
  d  down: TERM and CONT, and do not restart it
  o  once: start it, and do not restart it
  O  at most once: do not restart it, and do not start it
  x  exit: end its supervision when it is down; sends no signal
  r  restart: its stop signal and CONT
  l  reload: its reload signal
  p  STOP    c  CONT    t  TERM    k  KILL    h  HUP     i  INT
  a  ALRM    q  QUIT    1  USR1    2  USR2    b  ABRT    y  WINCH
  P  STOP, C  CONT, K  KILL to its whole process group

A service is a service directory, or its name in the scan directory.
`,
	Run:         runSvc,
	KeepSignals: []syscall.Signal{syscall.SIGPIPE},
}

// svcOptions returns daemontools' sentence, which ends with "k kill", and the
// other commands after it.
func svcOptions() string {
	list := make([]string, 0, len(svdir.Commands))
	for _, c := range svdir.Commands {
		list = append(list, string(rune(c.Letter))+" "+c.Name)
	}
	return "svc options: " + strings.Join(list, ", ")
}

func runSvc(e *applet.Env) error {
	known := make([]byte, 0, len(svdir.Commands))
	for _, c := range svdir.Commands {
		known = append(known, c.Letter)
	}
	o := applet.Options{Args: e.Args, Known: string(known)}
	commands := make([]byte, 0, len(known))
	for o.Next() {
		if strings.IndexByte(string(commands), o.Letter) < 0 {
			commands = append(commands, o.Letter)
		}
	}
	if o.Bad != "" {
		e.Log(o.Bad)
		return &applet.Exit{Code: applet.ExitPermanent, Line: svcOptions()}
	}
	// daemontools' svc does nothing and exits 0.
	if len(commands) == 0 && len(o.Args) > 0 {
		e.Log("no command for " + o.Args[0] + ": as in svc -u " + o.Args[0] + ", or svstat " + o.Args[0] + " for its status")
		return applet.ErrUsage
	}
	if len(o.Args) == 0 {
		return applet.ErrUsage
	}
	// If standard error is closed, a warning must not kill us before the commands have
	// been sent to the remaining services.
	signal.Ignore(syscall.SIGPIPE)
	x := explainer{e: e}
	for _, arg := range o.Args {
		dir, err := findDir(e, arg)
		if err != nil {
			e.Warn("unable to chdir to "+arg, err)
			x.explain(arg, err)
			continue
		}
		err = sendCommands(e, dir, commands)
		switch {
		case err == nil:
		case isWriteError(err):
			e.Warn("error writing commands to "+arg, err)
		default:
			e.Warn("unable to control "+arg, err)
			x.explain(arg, err)
		}
	}
	return nil
}

// sendCommands sends commands to the supervisor of a service. As in daemontools the FIFO
// ok decides nothing, but a supervisor in another container is not commanded.
func sendCommands(e *applet.Env, dir string, commands []byte) error {
	state, err := findState(e, dir)
	if err == svdir.ErrElsewhere {
		return err
	}
	return svdir.Send(state, commands)
}

// isWriteError reports whether an error of svdir.Send is from write(2), which means that
// there was a supervisor.
func isWriteError(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p) && p.Op == "write"
}
