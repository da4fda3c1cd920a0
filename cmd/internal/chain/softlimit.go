package chain

import (
	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
)

const softlimitSynopsis = "softlimit [-a allbytes] [-c corebytes] [-d databytes] [-f filebytes] [-l lockbytes] [-m membytes] [-o openfiles] [-p processes] [-r residentbytes] [-s stackbytes] [-t cpusecs] child"

// Softlimit is softlimit(8).
var Softlimit = applet.Command{
	Name:     "softlimit",
	Synopsis: softlimitSynopsis,
	Summary:  "run a program with new soft resource limits",
	Section:  8,
	Help: `Becomes the program child with soft limits on what it may use:

  -a  bytes of address space   -d  bytes of data    -s  bytes of stack
  -l  bytes locked in memory   -m  all of these four
  -o  open files               -p  processes        -t  seconds of processor time
  -f  bytes of a file          -c  bytes of a core  -r  resident bytes

A limit above the hard one is the hard one, and so is "=".
`,
	Run: func(e *applet.Env) error { return first(e, softlimit) },
}

func softlimit(l *link) error {
	o := applet.Options{Args: l.Args, Known: "a:c:d:f:l:m:o:p:r:s:t:"}
	for o.Next() {
		n, ok := softNumber(o.Value)
		if !ok {
			return applet.ErrUsage
		}
		l.limits.set(n, limited(o.Letter)...)
	}
	if o.Bad != "" {
		l.Say(o.Bad)
		return applet.ErrUsage
	}
	if len(o.Args) == 0 {
		return applet.ErrUsage
	}
	if _, err := l.limits.plan(); err != nil {
		return applet.Fatal("getrlimit failed", err)
	}
	return l.exec(o.Args)
}

// softNumber reads the value of an option.
func softNumber(s string) (n uint64, ok bool) {
	if s == "=" {
		return unlimited, true
	}
	return number(s)
}

// limited returns the resources of a letter, which softlimit and chpst share.
func limited(letter byte) []int {
	switch letter {
	case 'a':
		return []int{unix.RLIMIT_AS}
	case 'c':
		return []int{unix.RLIMIT_CORE}
	case 'd':
		return []int{unix.RLIMIT_DATA}
	case 'f':
		return []int{unix.RLIMIT_FSIZE}
	case 'l':
		return []int{unix.RLIMIT_MEMLOCK}
	case 'm':
		return []int{unix.RLIMIT_DATA, unix.RLIMIT_STACK, unix.RLIMIT_MEMLOCK, unix.RLIMIT_AS}
	case 'o':
		return []int{unix.RLIMIT_NOFILE}
	case 'p':
		return []int{unix.RLIMIT_NPROC}
	case 'r':
		return []int{unix.RLIMIT_RSS}
	case 's':
		return []int{unix.RLIMIT_STACK}
	case 't':
		return []int{unix.RLIMIT_CPU}
	}
	return nil
}
