package filter

import (
	"errors"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/services/svlog/logdir"
)

// Multilog is multilog(8). Its arguments are a script, a list of actions that are
// applied to every line.
var Multilog = applet.Command{
	Name:     "multilog",
	TextArgs: true,
	Synopsis: "multilog [t] action ...",
	Summary:  "keep standard input in rotated log directories",
	Section:  8,
	Help: `Every line of standard input goes through the actions, from left to right:

  t         only as the first action: prefix each line with its time, as tai64n
  -PATTERN  if the line is selected and matches, deselect it
  +PATTERN  if the line is not selected and matches, select it
  e         if selected: write its first 200 bytes to standard error
  =FILE     if selected: replace the content of FILE by its first 1000 bytes
  ./DIR /DIR  if selected: append it to the log in DIR
  sSIZE     for the directories that follow: files of at most SIZE bytes (99999)
  nNUM      for the directories that follow: keep at most NUM files (10)
  !COMMAND  for the directories that follow: filter each file by sh -c COMMAND

A line is selected at first. In a pattern * matches everything up to the first
occurrence of the byte after it; a pattern must match the whole line.
ALRM rotates the log files; TERM ends multilog at the end of a line.
`,
	Run:         runMultilog,
	KeepSignals: []syscall.Signal{syscall.SIGALRM, syscall.SIGPIPE, syscall.SIGXFSZ},
}

// runMultilog opens the files and directories of the script, the files first as
// in the original, and applies the script to every line.
func runMultilog(e *applet.Env) error {
	unix.Umask(0o022)
	l := &logger{env: e, stamped: len(e.Args) > 0 && len(e.Args[0]) > 0 && e.Args[0][0] == 't'}
	for i := range l.line {
		l.line[i] = '\n'
	}
	conn, err := e.Stdin.SyscallConn()
	if err != nil {
		return err
	}
	// Not Fd: it clears O_NONBLOCK, also for other processes that share stdin.
	if err := conn.Control(func(fd uintptr) { l.stdin = int(fd) }); err != nil {
		l.stdin = -1
	}
	if err := l.catchSignals(); err != nil {
		return err
	}
	defer l.waiter.stopSignals()
	defer l.closeFiles()
	if err := l.open(e.Args); err != nil {
		for _, d := range l.dirs { // the original leaves them as they are, too
			d.Abandon()
		}
		return err
	}
	l.run()
	return l.close()
}

// An action of the script that applies to lines. The actions s, n and ! only
// configure directories; open has used them up.
type action struct {
	kind     byte
	text     string // the pattern or the file name
	fd       int    // of =
	dir      *logdir.Dir
	selected bool // the current line goes to dir
}

// open parses the script and opens its files and directories.
func (l *logger) open(script []string) error {
	files := make([]int, len(script))
	for i, arg := range script {
		if len(arg) > 0 && arg[0] == '=' {
			fd, err := openStatus(arg[1:])
			if err != nil {
				return applet.Fatal("unable to create "+arg[1:], err)
			}
			files[i] = fd
			l.statusFDs = append(l.statusFDs, fd)
		}
	}
	config := logdir.Config{
		Size: logdir.DefaultSize, Keep: logdir.DefaultKeep, Environ: l.env.Environ(),
		Pause: l.pause, Say: func(what string, err error) { l.env.Log("fatal: " + what + ": " + applet.Reason(err)) },
	}
	for i, arg := range script {
		if arg == "" {
			continue
		}
		switch a := (action{kind: arg[0], text: arg[1:]}); a.kind {
		case 's':
			config.Size = int(min(max(parseNumber(a.text), logdir.MinSize), logdir.MaxSize))
		case 'n':
			config.Keep = max(parseNumber(a.text), logdir.MinKeep)
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

// closeFiles closes the status files.
func (l *logger) closeFiles() {
	for _, fd := range l.statusFDs {
		unix.Close(fd)
	}
}

// openStatus opens the file of an = action and creates it if needed. A FIFO
// without a reader is an error, as in the original.
func openStatus(name string) (int, error) {
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_APPEND|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return -1, err
	}
	unix.Close(fd)
	return unix.Open(name, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
}

// parseNumber parses the leading digits as scan_ulong of daemontools does, modulo
// 2^64.
func parseNumber(text string) (n uint64) {
	for i := 0; i < len(text) && text[i]-'0' < 10; i++ {
		n = n*10 + uint64(text[i]-'0')
	}
	return n
}

// match reports whether a pattern matches the whole line. A star matches up to the
// first occurrence of the next byte of the pattern; a star at the end matches the
// rest.
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

// close closes the directories. It returns an error if bytes could not be written,
// which happens only after TERM: otherwise writes are retried forever.
func (l *logger) close() error {
	var fatal error
	for _, d := range l.dirs {
		if lost, why := d.Close(); lost > 0 && fatal == nil {
			fatal = applet.Fatal("lost "+strconv.FormatInt(lost, 10)+" bytes that "+d.Name()+" has no room for", why)
		}
	}
	return fatal
}
