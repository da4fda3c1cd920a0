// Package script executes a service's run file without a shell: one whose
// first line is "#!/svinit run", with any path to the binary.
//
// # The language
//
// It is a part of sh's: a script that is accepted does what it does under
// "sh -ef". What is not in it is refused by name, with line and column, before
// anything of the script has been executed; so there are three files between
// the text and the processes:
//
//	parse.go, convert.go    text → lines of words, or a fault
//	expand.go               words → arguments, with the variables of variables.go
//	execute.go              arguments → processes, with the streams of streams.go
//
// Each line is executed and waited for, and the first that fails ends the
// script with its code. The last one, or the one of exec, takes the place of
// the process, so that the supervisor's signals reach the service itself.
//
// # The parser
//
// The grammar is mvdan.cc/sh/v3/syntax's, in its POSIX variant. It adds
// 0.27 MB to the binary. Of its packages one computes something at start, two
// regular expressions in mvdan.cc/sh/v3/fileutil, which costs every tool
// 0.03 ms of the 1.3 that a start of svok takes on the machine where it was
// measured. The library's printer imports it, which we do not call, but a
// package is taken as a whole; the go command neither overlays nor replaces a
// part of a module.
//
// Where it reads a text otherwise than dash does, the text is refused: see
// check in parse.go and the comments of convert.go.
package script

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/services/program"
)

// Run is svinit-run(8).
var Run = applet.Command{
	Name:     "run",
	Sub:      true,
	Synopsis: "svinit run [-n] file [argument ...]",
	Summary:  "execute a script without a shell",
	Section:  8,
	Help: `Makes a run file with the first line #!/svinit run work where there is no shell.
The script has words with the shell's quoting, $NAME and ${NAME:-default},
redirections, NAME=value, exec, cd, export, unset, umask and set -u. A command
that fails ends it. svinit's own tools are found without links to them.
  -n  only say whether the script is right; all arguments are scripts then
`,
	Run: run,
}

// Exit codes, as a shell's.
const (
	wrong    = 2   // the script, or one of its expansions or redirections
	cannot   = 126 // found, but not executable
	notFound = 127
)

// limit is how long a script may be, in bytes. It bounds how deep the parser
// recurses.
const limit = 128 << 10

func run(e *applet.Env) error {
	o := applet.Options{Args: e.Args, Known: "n"}
	check := false
	for o.Next() {
		check = true
	}
	if o.Bad != "" {
		e.Say(o.Bad)
		return applet.ErrUsage
	}
	if len(o.Args) == 0 {
		return applet.ErrUsage
	}
	if check {
		return look(e, o.Args)
	}
	text, lines, err := load(e, o.Args[0])
	if err != nil {
		return err
	}
	return newRunner(e, o.Args, text).run(lines)
}

// look says of each file what is wrong with it. The code is that of the first
// that is not right.
func look(e *applet.Env, files []string) error {
	var all applet.Exit
	for _, file := range files {
		_, _, err := load(e, file)
		if why := program.CheckFirstLine(binary, file); err == nil && why != nil {
			err = &applet.Exit{Code: wrong, Line: e.Name + ": " + why.Error()}
		}
		var exit *applet.Exit
		if !errors.As(err, &exit) {
			continue
		}
		if all.Code == 0 {
			all = *exit
			continue
		}
		all.Line += "\n" + exit.Line
	}
	if all.Code == 0 {
		return nil
	}
	return &all
}

// binary is how svinit is called in first lines.
const binary = "svinit"

// load reads a script and turns it into lines. The error is an applet.Exit.
func load(e *applet.Env, file string) (text []byte, lines []line, err error) {
	if text, err = read(file); err != nil {
		return nil, nil, &applet.Exit{Code: unreadable(err), Line: e.Name + ": unable to read " + file + ": " + applet.Reason(err)}
	}
	if lines, err = parse(text); err != nil {
		return nil, nil, &applet.Exit{Code: wrong, Line: e.Name + ": " + file + err.Error()}
	}
	return text, lines, nil
}

// read reads a script, with one system call after the other: package os would
// make the runtime open descriptors for its poller (see reserve). They are
// reserved while the file is open, which is in any case.
func read(file string) ([]byte, error) {
	fd, err := retry(func() (int, error) { return unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, err
	}
	defer unix.Close(reserve(fd))
	text := make([]byte, 4<<10)
	for size := 0; ; {
		n, err := retry(func() (int, error) { return unix.Read(fd, text[size:]) })
		if size += n; n <= 0 || err != nil {
			return text[:max(size, 0)], err
		}
		if size > limit {
			return nil, fmt.Errorf("more than %d bytes", limit)
		}
		if size == len(text) {
			text = append(text, make([]byte, size)...)
		}
	}
}

func unreadable(err error) int {
	if errors.Is(err, fs.ErrNotExist) {
		return notFound
	}
	return cannot
}

// A pos is where something is in the script, both counted from 1; the column
// in bytes, and 0 where it is beyond what the parser counts.
type pos struct{ line, col int }

func (p pos) String() string {
	if p.col == 0 {
		return itoa(p.line)
	}
	return itoa(p.line) + ":" + itoa(p.col)
}

// A fault is what is wrong with a script, and where.
type fault struct {
	pos
	text string
}

func (f *fault) Error() string { return ":" + f.pos.String() + ": " + f.text }

// refuse returns the fault of a script that wants more than we have.
func refuse(at pos, what string) error { return &fault{at, what + " are not supported: use a shell"} }
