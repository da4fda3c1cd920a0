package chain

import (
	"errors"
	"syscall"

	"svinit/cmd/internal/applet"
)

const chpstSynopsis = "chpst [-vVP012] [-u user[:group]] [-U user[:group]] [-b argv0] [-e dir] [-/ root] [-n nice] [-l|-L lock] [-m n] [-d n] [-o n] [-p n] [-f n] [-c n] [-t n] prog"

// Chpst is chpst(8), as in runit 2.1.2 but for its other names.
var Chpst = applet.Command{
	Name:     "chpst",
	Synopsis: chpstSynopsis,
	Summary:  "run a program with a changed process state",
	Section:  8,
	Help: `Becomes the program prog, after all that the options say, in this order:

  -P              lead a new session
  -e dir          take variables from the files of dir, as envdir does
  -/ root         make root the root directory
  -n [+|-]n       add to the nice level
  -U user[:group] set UID and GID
  -u user[:group] become that user; ":1000:1000" is numbers
  -l lock         lock that file; -L does not wait for it
  -0 -1 -2        close standard input, output, error
  -m -d -o -p -f -c -r -t n
                  set soft limits: memory, data, open files, processes, file,
                  core, resident memory, seconds of processor time
  -b argv0        the name that prog is told
  -v              say what passes silently otherwise
  -V              say what chpst this is
`,
	Run: func(e *applet.Env) error { return first(e, chpst) },
}

// version is what -V says.
const version = "chpst of svinit, with the options of runit 2.1.2"

// chpstUsage ends chpst with its usage, which is in runit's form.
var chpstUsage error = &applet.Exit{Code: applet.Wrong, Line: "usage: " + chpstSynopsis + "\n"}

// options is what chpst is asked for.
type options struct {
	user, envUser, argv0, envDir, root, lock      *string
	nice                                          int32
	wait, verbose, session, stdin, stdout, stderr bool
}

func chpst(l *link) error {
	var opts options
	prog, err := opts.read(l)
	if err != nil {
		return err
	}
	if opts.session {
		syscall.Setsid()
	}
	for _, do := range [...]func(*link) error{opts.readEnvDir, opts.changeRoot, opts.changeNice, opts.changeUser, opts.takeLock, opts.closeStreams} {
		if err := do(l); err != nil {
			return err
		}
	}
	if _, err := l.limits.plan(); err != nil {
		return applet.Fatal("unable to getrlimit()", err)
	}
	file := prog[0]
	if opts.argv0 != nil {
		prog = append([]string{*opts.argv0}, prog[1:]...)
	}
	return l.become(file, prog, "unable to run: "+prog[0])
}

// read reads the options, and puts the limits among them into l's.
func (opts *options) read(l *link) (prog []string, err error) {
	o := applet.Options{Args: l.Args, Known: "u:U:b:e:m:d:o:p:f:c:r:t:/:n:l:L:vP012V"}
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
		case 'n':
			n, ok := niceNumber(value)
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
			opts.stdin = true
		case '1':
			opts.stdout = true
		case '2':
			opts.stderr = true
		case 'V':
			l.Stderr.WriteString(version + "\n")
			return nil, chpstUsage
		default:
			if !l.limits.chpst(value, limited(o.Letter)) {
				return nil, chpstUsage
			}
		}
	}
	if o.Bad != "" {
		l.Say(o.Bad)
		return nil, chpstUsage
	}
	if len(o.Args) == 0 {
		return nil, chpstUsage
	}
	return o.Args, nil
}

// chpst reads a limit as chpst does, whose numbers are signed: -1 is the hard
// limit, and all below is no limit asked for.
func (l *limits) chpst(s string, resources []int) (ok bool) {
	n, ok := number(s)
	switch signed := int64(n); {
	case !ok:
	case signed < -1:
		l.forget(resources...)
	case signed == -1:
		l.set(unlimited, resources...)
	default:
		l.set(n, resources...)
	}
	return ok
}

// niceNumber reads an increment of the nice level, of which the lower 32 bits
// count.
func niceNumber(s string) (n int32, ok bool) {
	sign := int32(1)
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	v, ok := number(s)
	return sign * int32(v), ok
}

func (opts *options) readEnvDir(l *link) error {
	if opts.envDir == nil {
		return nil
	}
	dir := *opts.envDir
	err := l.environ.readDir(dir, func(at *stepError) bool {
		if at.err != syscall.EISDIR {
			return false
		}
		if opts.verbose {
			l.Warn("unable to read "+dir+"/"+at.name, at.err)
		}
		return true
	})
	var at *stepError
	if !errors.As(err, &at) {
		return err
	}
	what := "unable to "
	switch at.step {
	case stepHere:
		what += "open current working directory"
	case stepChdir:
		what += "switch to directory: " + dir
	case stepOpen:
		what += "open directory: " + dir
	case stepList:
		what += "read directory: " + dir
	case stepRead:
		what += "read " + dir + "/" + at.name
	case stepBack:
		what += "switch to starting directory"
	}
	return applet.Fatal(what, at.err)
}

func (opts *options) changeRoot(*link) error {
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

func (opts *options) changeNice(*link) error {
	if opts.nice == 0 {
		return nil
	}
	if err := addNice(opts.nice); err != nil {
		return applet.Fatal("unable to set nice level", err)
	}
	return nil
}

// changeUser changes the environment and the ids.
func (opts *options) changeUser(l *link) error {
	if opts.envUser != nil {
		uid, gids, err := identity(*opts.envUser)
		if err != nil {
			return err
		}
		l.environ.setIDs(uid, gids[0])
	}
	if opts.user == nil {
		return nil
	}
	uid, gids, err := identity(*opts.user)
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

func (opts *options) takeLock(*link) error {
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

func (opts *options) closeStreams(*link) error {
	for fd, stream := range [...]struct {
		close bool
		name  string
	}{{opts.stdin, "stdin"}, {opts.stdout, "stdout"}, {opts.stderr, "stderr"}} {
		if !stream.close {
			continue
		}
		if err := syscall.Close(fd); err != nil {
			return applet.Fatal("unable to close "+stream.name, err)
		}
	}
	return nil
}
