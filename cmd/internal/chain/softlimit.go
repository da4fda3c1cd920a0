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
	Help: `Executes the program child with soft resource limits:

  -a  bytes of address space   -d  bytes of data    -s  bytes of stack
  -l  bytes locked in memory   -m  all of these four
  -o  open files               -p  processes        -t  seconds of processor time
  -f  bytes of a file          -c  bytes of a core  -r  resident bytes

"=" stands for the hard limit; higher values are lowered to it.
`,
	Run: func(e *applet.Env) error { return runFirst(e, softlimit) },
}

func softlimit(s *stage) error {
	o := applet.Options{Args: s.Args, Known: "a:c:d:f:l:m:o:p:r:s:t:"}
	for o.Next() {
		n, ok := parseSoftLimit(o.Value)
		if !ok {
			return applet.ErrUsage
		}
		s.limits.set(n, resourcesOf(o.Letter)...)
	}
	if o.Bad != "" {
		s.Log(o.Bad)
		return applet.ErrUsage
	}
	if len(o.Args) == 0 {
		return applet.ErrUsage
	}
	if _, err := s.limits.plan(); err != nil {
		return applet.Fatal("getrlimit failed", err)
	}
	return s.exec(o.Args)
}

// parseSoftLimit parses the value of an option.
func parseSoftLimit(s string) (n uint64, ok bool) {
	if s == "=" {
		return unlimited, true
	}
	return parseNumber(s)
}

// resourcesOf returns the resources that an option of softlimit or chpst limits.
func resourcesOf(letter byte) []int {
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
