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

// Svc is svc(8). As in daemontools its exit code is 0 even when no service
// could be reached: only wrong letters give another.
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
  x  exit: let go of it when it is down; no signal
  r  restart: its stop signal and CONT
  l  reload: its reload signal
  p  STOP    c  CONT    t  TERM    k  KILL    h  HUP     i  INT
  a  ALRM    q  QUIT    1  USR1    2  USR2    b  ABRT    y  WINCH
  P  STOP, C  CONT, K  KILL to its whole process group

A service is a service directory, or its name in the scan directory.
`,
	Run:         svc,
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

func svc(e *applet.Env) error {
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
	// A reader of our warnings that has gone must not keep the remaining
	// services from their commands.
	signal.Ignore(syscall.SIGPIPE)
	for _, arg := range o.Args {
		dir, err := find(e, arg)
		if err != nil {
			e.Warn("unable to chdir to "+arg, err)
			continue
		}
		err = send(e, dir, commands)
		switch {
		case err == nil:
		case written(err):
			e.Warn("error writing commands to "+arg, err)
		default:
			e.Warn("unable to control "+arg, err)
		}
	}
	return nil
}

// send sends commands to the service directory's own supervisor, and where
// there is none to that of its fallback state directory. The error is that of
// the own one.
func send(e *applet.Env, dir string, commands []byte) error {
	state := ownState(dir)
	err := svdir.Send(state, commands)
	if err == nil || written(err) {
		return err
	}
	if other := fallback(e, dir); other != state {
		return svdir.Send(other, commands)
	}
	return err
}

// written reports whether an error of svdir.Send is of the write: then there
// was a supervisor.
func written(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p) && p.Op == "write"
}
