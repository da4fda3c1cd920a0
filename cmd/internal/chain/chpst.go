package chain

import (
	"errors"
	"syscall"

	"svinit/cmd/internal/applet"
)

const chpstSynopsis = "chpst [-vVP012] [-u user[:group]] [-U user[:group]] [-b argv0] [-e dir] [-/ root] [-C pwd] [-n nice] [-l|-L lock] [-m n] [-d n] [-o n] [-p n] [-f n] [-c n] [-t n] prog"

// Chpst is chpst(8) of runit 2.1.2, with the option -C of 2.2.0 and later, without the other names of that program.
var Chpst = applet.Command{
	Name:     "chpst",
	Synopsis: chpstSynopsis,
	Summary:  "run a program with a changed process state",
	Section:  8,
	Help: `Executes the program prog after the changes in the options, made in this order:

  -P              start a new session
  -e dir          set variables from the files in dir, as envdir does
  -/ root         make root the root directory
  -C pwd          change to the directory pwd, in the new root
  -n [+|-]n       add n to the nice level
  -U user[:group] set the environment variables UID and GID
  -u user[:group] run as that user; ":1000:1000" for numbers
  -l lock         lock that file; -L fails if it is already locked
  -0 -1 -2        close standard input, output, error
  -m -d -o -p -f -c -r -t n
                  set soft limits: memory, data, open files, processes, file,
                  core, resident memory, seconds of processor time
  -b argv0        pass argv0 to prog as its name
  -v              report errors that are otherwise ignored
  -V              print the version
`,
	Run: func(e *applet.Env) error { return runFirst(e, chpst) },
}

// version is what -V prints.
const version = "chpst of svinit, with the options of runit 2.3.0"

// chpstUsage ends chpst with its usage, in runit's format.
var chpstUsage error = &applet.Exit{Code: applet.ExitPermanent, Line: "usage: " + chpstSynopsis + "\n"}

// options are the options of chpst.
type options struct {
	user, envUser, argv0, envDir, root, pwd, lock                *string
	nice                                                         int32
	wait, verbose, session, closeStdin, closeStdout, closeStderr bool
}

func chpst(s *stage) error {
	var opts options
	prog, err := opts.parse(s)
	if err != nil {
		return err
	}
	if opts.session {
		syscall.Setsid()
	}
	for _, do := range [...]func(*stage) error{opts.readEnvDir, opts.changeRoot, opts.changeDir, opts.changeNice, opts.changeUser, opts.takeLock, opts.closeStdFDs} {
		if err := do(s); err != nil {
			return err
		}
	}
	if _, err := s.limits.plan(); err != nil {
		return applet.Fatal("unable to getrlimit()", err)
	}
	file := prog[0]
	if opts.argv0 != nil {
		prog = append([]string{*opts.argv0}, prog[1:]...)
	}
	return s.execFile(file, prog, "unable to run: "+prog[0])
}

// parse parses the options. It puts the limits among them into s.limits.
func (opts *options) parse(s *stage) (prog []string, err error) {
	o := applet.Options{Args: s.Args, Known: "u:U:b:e:m:d:o:p:f:c:r:t:/:C:n:l:L:vP012V"}
	for o.Next() {
		value := o.Value
		switch o.Letter {
		case 'u':
			opts.user = &value
		case 'U':
			opts.envUser = &value
		case 'b':
			opts.argv0 = &value
		case 'e':
			opts.envDir = &value
		case '/':
			opts.root = &value
		case 'C':
			opts.pwd = &value
		case 'n':
			n, ok := parseNice(value)
			if !ok {
				return nil, chpstUsage
			}
			opts.nice = n
		case 'l', 'L':
			if opts.lock != nil {
				return nil, chpstUsage
			}
			opts.lock, opts.wait = &value, o.Letter == 'l'
		case 'v':
			opts.verbose = true
		case 'P':
			opts.session = true
		case '0':
			opts.closeStdin = true
		case '1':
			opts.closeStdout = true
		case '2':
			opts.closeStderr = true
		case 'V':
			s.Stderr.WriteString(version + "\n")
			return nil, chpstUsage
		default:
			if !s.limits.setChpst(value, resourcesOf(o.Letter)) {
				return nil, chpstUsage
			}
		}
	}
	if o.Bad != "" {
		s.Log(o.Bad)
		return nil, chpstUsage
	}
	if len(o.Args) == 0 {
		return nil, chpstUsage
	}
	return o.Args, nil
}

// setChpst requests a limit as chpst does. Its numbers are signed: -1 is the hard
// limit, and lower ones withdraw the request.
func (l *limits) setChpst(s string, resources []int) (ok bool) {
	n, ok := parseNumber(s)
	switch signed := int64(n); {
	case !ok:
	case signed < -1:
		l.unset(resources...)
	case signed == -1:
		l.set(unlimited, resources...)
	default:
		l.set(n, resources...)
	}
	return ok
}

// parseNice parses an increment of the nice level, of which the lower 32 bits
// count.
func parseNice(s string) (n int32, ok bool) {
	sign := int32(1)
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	v, ok := parseNumber(s)
	return sign * int32(v), ok
}

func (opts *options) readEnvDir(s *stage) error {
	if opts.envDir == nil {
		return nil
	}
	dir := *opts.envDir
	err := s.environ.readDir(dir, func(stepErr *stepError) bool {
		if stepErr.err != syscall.EISDIR {
			return false
		}
		if opts.verbose {
			s.Warn("unable to read "+dir+"/"+stepErr.name, stepErr.err)
		}
		return true
	})
	var stepErr *stepError
	if !errors.As(err, &stepErr) {
		return err
	}
	what := "unable to "
	switch stepErr.step {
	case stepOpenCwd:
		what += "open current working directory"
	case stepChdir:
		what += "switch to directory: " + dir
	case stepOpen:
		what += "open directory: " + dir
	case stepList:
		what += "read directory: " + dir
	case stepRead:
		what += "read " + dir + "/" + stepErr.name
	case stepReturn:
		what += "switch to starting directory"
	}
	return applet.Fatal(what, stepErr.err)
}

func (opts *options) changeRoot(*stage) error {
	if opts.root == nil {
		return nil
	}
	if err := syscall.Chdir(*opts.root); err != nil {
		return applet.Fatal("unable to change directory: "+*opts.root, err)
	}
	if err := syscall.Chroot("."); err != nil {
		return applet.Fatal("unable to change root directory", err)
	}
	return nil
}

func (opts *options) changeDir(*stage) error {
	if opts.pwd == nil {
		return nil
	}
	if err := syscall.Chdir(*opts.pwd); err != nil {
		return applet.Fatal("unable to change directory: "+*opts.pwd, err)
	}
	return nil
}

func (opts *options) changeNice(*stage) error {
	if opts.nice == 0 {
		return nil
	}
	if err := addNice(opts.nice); err != nil {
		return applet.Fatal("unable to set nice level", err)
	}
	return nil
}

// changeUser changes the environment (-U) and the IDs (-u).
func (opts *options) changeUser(s *stage) error {
	if opts.envUser != nil {
		uid, gids, err := parseIdentity(*opts.envUser)
		if err != nil {
			return err
		}
		s.environ.setIDs(uid, gids[0])
	}
	if opts.user == nil {
		return nil
	}
	uid, gids, err := parseIdentity(*opts.user)
	if err != nil {
		return err
	}
	if err := setGroups(gids); err != nil {
		return applet.Fatal("unable to setgroups", err)
	}
	if err := setGroup(gids[0]); err != nil {
		return applet.Fatal("unable to setgid", err)
	}
	if err := setUser(uid); err != nil {
		return applet.Fatal("unable to setuid", err)
	}
	return nil
}

func (opts *options) takeLock(*stage) error {
	if opts.lock == nil {
		return nil
	}
	verb, err := lockFile(*opts.lock, opts.wait)
	if err == nil {
		return nil
	}
	what := "unable to lock: "
	if verb == "open" {
		what = "unable to open lock: "
	}
	return applet.Fatal(what+*opts.lock, err)
}

func (opts *options) closeStdFDs(*stage) error {
	for fd, stream := range [...]struct {
		close bool
		name  string
	}{{opts.closeStdin, "stdin"}, {opts.closeStdout, "stdout"}, {opts.closeStderr, "stderr"}} {
		if !stream.close {
			continue
		}
		if err := syscall.Close(fd); err != nil {
			return applet.Fatal("unable to close "+stream.name, err)
		}
	}
	return nil
}
