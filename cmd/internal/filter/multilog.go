package filter

import (
	"errors"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/services/svlog/logdir"
)

// Multilog is multilog(8), whose one argument list is a script that every line
// runs through.
var Multilog = applet.Command{
	Name:     "multilog",
	Synopsis: "multilog [t] action ...",
	Summary:  "keep standard input in rotated log directories",
	Section:  8,
	Help: `Every line of standard input goes through the actions, from left to right:

  t         only as the first: begin each line with its time, as tai64n does
  -PATTERN  if the line is selected and matches, deselect it
  +PATTERN  if the line is not selected and matches, select it
  e         if selected: its first 200 bytes to standard error
  =FILE     if selected: its first 1000 bytes to FILE, in the place of the last
  ./DIR /DIR  if selected: append it to the log in DIR
  sSIZE     for the directories that follow: files of at most SIZE bytes (99999)
  nNUM      for these: keep at most NUM files (10)
  !COMMAND  for these: each file goes through sh -c COMMAND

At first a line is selected. * in a pattern stands for anything up to the
first byte that is as the one after it; a pattern must match the whole line.
ALRM begins new files; TERM ends multilog at the end of a line.
`,
	Run:  multilog,
	Keep: []syscall.Signal{syscall.SIGALRM, syscall.SIGPIPE, syscall.SIGXFSZ},
}

// multilog opens what the script names, the files first as in the original,
// and runs it on every line.
func multilog(e *applet.Env) error {
	unix.Umask(0o022)
	l := &logger{env: e, stamped: len(e.Args) > 0 && len(e.Args[0]) > 0 && e.Args[0][0] == 't'}
	for i := range l.line {
		l.line[i] = '\n'
	}
	conn, err := e.Stdin.SyscallConn()
	if err != nil {
		return err
	}
	// Not Fd, which would change how whoever shares stdin with us reads it.
	if err := conn.Control(func(fd uintptr) { l.stdin = int(fd) }); err != nil {
		l.stdin = -1
	}
	if err := l.attend(); err != nil {
		return err
	}
	defer l.attention.close()
	defer l.closeFiles()
	if err := l.open(e.Args); err != nil {
		for _, d := range l.dirs { // as the original leaves them
			d.Abandon()
		}
		return err
	}
	l.run()
	return l.close()
}

// An action is one that does something to each line; what only says how
// directories are kept is not there any more.
type action struct {
	kind     byte
	text     string // the pattern, or the file's name
	fd       int    // of the file
	dir      *logdir.Dir
	selected bool // whether the directory has the line that is being read
}

// open reads the script.
func (l *logger) open(script []string) error {
	files := make([]int, len(script))
	for i, arg := range script {
		if len(arg) > 0 && arg[0] == '=' {
			fd, err := openStatus(arg[1:])
			if err != nil {
				return applet.Fatal("unable to create "+arg[1:], err)
			}
			files[i] = fd
			l.files = append(l.files, fd)
		}
	}
	config := logdir.Config{
		Size: logdir.DefaultSize, Keep: logdir.DefaultKeep, Environ: l.env.Environ(),
		Pause: l.pause, Say: func(what string, err error) { l.env.Say("fatal: " + what + ": " + applet.Reason(err)) },
	}
	for i, arg := range script {
		if arg == "" {
			continue
		}
		switch a := (action{kind: arg[0], text: arg[1:]}); a.kind {
		case 's':
			config.Size = int(min(max(number(a.text), logdir.MinSize), logdir.MaxSize))
		case 'n':
			config.Keep = max(number(a.text), logdir.MinKeep)
		case '!':
			config.Processor = &a.text
		case '.', '/':
			dir, err := logdir.Open(arg, config)
			if err != nil {
				var cause *logdir.Error
				errors.As(err, &cause)
				return applet.Fatal(cause.What, cause.Err)
			}
			a.kind, a.dir = '/', dir
			l.actions = append(l.actions, a)
			l.dirs = append(l.dirs, dir)
		case '+', '-', 'e', '=':
			a.fd = files[i]
			l.actions = append(l.actions, a)
		}
	}
	return nil
}

// closeFiles closes the files of = actions.
func (l *logger) closeFiles() {
	for _, fd := range l.files {
		unix.Close(fd)
	}
}

// openStatus makes the file of an = action. A FIFO that nobody reads is
// refused, as in the original.
func openStatus(name string) (int, error) {
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_APPEND|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return -1, err
	}
	unix.Close(fd)
	return unix.Open(name, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
}

// number reads digits as scan_ulong does: up to what is none, and modulo 2^64.
func number(text string) (n uint64) {
	for i := 0; i < len(text) && text[i]-'0' < 10; i++ {
		n = n*10 + uint64(text[i]-'0')
	}
	return n
}

// match reports whether a pattern matches all of a line: a star is anything up
// to the first byte that is as the pattern's next, or up to the end.
func match(pattern string, line []byte) bool {
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '*' && i+1 == len(pattern):
			return true
		case pattern[i] == '*':
			for len(line) > 0 && line[0] != pattern[i+1] {
				line = line[1:]
			}
			if len(line) == 0 {
				return false
			}
		case len(line) == 0 || line[0] != pattern[i]:
			return false
		default:
			line = line[1:]
		}
	}
	return len(line) == 0
}

// close closes the directories. What could not be written is an error, after
// TERM only: else there is no giving up.
func (l *logger) close() error {
	var fatal error
	for _, d := range l.dirs {
		if lost, why := d.Close(); lost > 0 && fatal == nil {
			fatal = applet.Fatal("lost "+strconv.FormatInt(lost, 10)+" bytes that "+d.Name()+" has no room for", why)
		}
	}
	return fatal
}
