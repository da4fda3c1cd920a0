package chain

import (
	"syscall"

	"svinit/cmd/internal/applet"
)

const pgrphackSynopsis = "pgrphack child"

// Pgrphack is pgrphack(8).
var Pgrphack = applet.Command{
	Name:     "pgrphack",
	Synopsis: pgrphackSynopsis,
	Summary:  "run a program in a session and process group of its own",
	Section:  8,
	Help: `Becomes the program child, as the leader of a new session. A process that leads
its group already stays where it is.
`,
	Run: func(e *applet.Env) error { return first(e, pgrphack) },
}

func pgrphack(l *link) error {
	if len(l.Args) == 0 {
		return applet.ErrUsage
	}
	syscall.Setsid()
	return l.exec(l.Args)
}
