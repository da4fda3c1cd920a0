package chain

import (
	"syscall"

	"svinit/cmd/internal/applet"
)

const setlockSynopsis = "setlock [ -nNxX ] file program [ arg ... ]"

// Setlock is setlock(8).
var Setlock = applet.Command{
	Name:     "setlock",
	Synopsis: setlockSynopsis,
	Summary:  "run a program with a file locked",
	Section:  8,
	Help: `Creates the file if it does not exist, locks it and executes the program. The lock
is held for as long as the program, or a child of it, has the file open.

  -n  do not wait if the file is already locked: fail
  -N  wait (the default)
  -x  if the file cannot be locked, exit 0 silently
  -X  if the file cannot be locked, exit 111 with a message (the default)
`,
	Run: func(e *applet.Env) error { return runFirst(e, setlock) },
}

func setlock(s *stage) error {
	wait, quiet := true, false
	o := applet.Options{Args: s.Args, Known: "nNxX"}
	for o.Next() {
		switch o.Letter {
		case 'n':
			wait = false
		case 'N':
			wait = true
		case 'x':
			quiet = true
		case 'X':
			quiet = false
		}
	}
	if o.Bad != "" {
		s.Log(o.Bad)
		return applet.ErrUsage
	}
	if len(o.Args) < 2 {
		return applet.ErrUsage
	}
	verb, err := lockFile(o.Args[0], wait)
	switch {
	case err == nil:
		return s.exec(o.Args[1:])
	case quiet:
		return nil
	}
	return applet.Fatal("unable to "+verb+" "+o.Args[0], err)
}

// lockFile opens a file, without close-on-exec so that the program inherits it,
// and locks it. The verb is the step that failed, "open" or "lock".
func lockFile(name string, wait bool) (verb string, err error) {
	fd, err := syscall.Open(name, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_APPEND|syscall.O_CREAT, 0o600)
	if err != nil {
		return "open", err
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		// A signal of the Go runtime may interrupt it.
		if err = syscall.Flock(fd, how); err != syscall.EINTR {
			return "lock", err
		}
	}
}
