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
	Help: `Executes the program child as the leader of a new session. A process that is
already the leader of its process group stays in its session.
`,
	Run: func(e *applet.Env) error { return runFirst(e, pgrphack) },
}

func pgrphack(s *stage) error {
	if len(s.Args) == 0 {
		return applet.ErrUsage
	}
	syscall.Setsid()
	return s.exec(s.Args)
}
