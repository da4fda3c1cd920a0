// Package script executes a service's run file without a shell: one whose
// first line is "#!/svinit run", with any path to the binary.
//
// # The language
//
// The language is a subset of sh: a script that is accepted behaves as it does
// under "sh -ef". Everything outside the subset is rejected by name, with line
// and column, before the first command is executed. So there are three steps
// between the text and the processes:
//
//	parse.go, convert.go    text → commands made of words, or a scriptError
//	expand.go               words → arguments, with the variables of variables.go
//	execute.go, external.go  arguments → processes, with the descriptors of fdtable.go
//
// Each command is executed and waited for, and the first that fails ends the
// script with its exit code. The last command, or that after exec, replaces the
// process of the script by execve, so that the supervisor's signals reach the
// service itself.
//
// # The parser
//
// The parser is mvdan.cc/sh/v3/syntax in its POSIX variant. It adds 0.27 MB to
// the binary. One package behind it does work at start: mvdan.cc/sh/v3/fileutil
// compiles two regular expressions, which costs every tool of the binary
// 0.03 ms (a start of svok takes 1.3 ms on the machine where it was measured).
// The library's printer imports fileutil. We do not call the printer, but it is
// in the same package as the parser.
//
// Where this parser reads a text differently from dash, the text is rejected:
// see checkBytes in parse.go and the comments in convert.go.
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
	Name:       "run",
	Subcommand: true,
	Synopsis:   "svinit run [-n] file [argument ...]",
	Summary:    "execute a script without a shell",
	Section:    8,
	Help: `Executes a run file whose first line is #!/svinit run, without a shell.
The script has words with the shell's quoting, $NAME and ${NAME:-default},
redirections, NAME=value, exec, cd, export, unset, umask and set -u. A command
that fails ends it. svinit's own tools are found without links to them.
  -n  only check the script; all arguments are scripts then
`,
	Run: run,
}

// exitInvalid is a shell's exit code for a syntax error, or a failed expansion,
// redirection or builtin.
const exitInvalid = 2

// maxScriptSize is the largest accepted script, in bytes. It bounds how deep the parser
// recurses.
const maxScriptSize = 128 << 10

func run(e *applet.Env) error {
	o := applet.Options{Args: e.Args, Known: "n"}
	checkOnly := false
	for o.Next() {
		checkOnly = true
	}
	if o.Bad != "" {
		e.Log(o.Bad)
		return applet.ErrUsage
	}
	if len(o.Args) == 0 {
		return applet.ErrUsage
	}
	if checkOnly {
		return checkScripts(e, o.Args)
	}
	text, commands, err := load(e, o.Args[0])
	if err != nil {
		return err
	}
	return newRunner(e, o.Args, text).run(commands)
}

// checkScripts reports the first problem of each file. The exit code is that of
// the first file with a problem.
func checkScripts(e *applet.Env, files []string) error {
	var all applet.Exit
	for _, file := range files {
		_, _, err := load(e, file)
		if why := program.CheckFirstLine(binary, file); err == nil && why != nil {
			err = &applet.Exit{Code: exitInvalid, Line: e.Name + ": " + why.Error()}
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

// Check returns the first problem of a script, and its line; "" if it can be
// executed.
func Check(text []byte) (line int, problem string) {
	_, err := parse(text)
	var serr *scriptError
	if errors.As(err, &serr) {
		return serr.line, serr.text
	}
	return 0, ""
}

// binary is svinit's name in the first line of a script.
const binary = "svinit"

// load reads and parses a script. The error is an *applet.Exit.
func load(e *applet.Env, file string) (text []byte, commands []command, err error) {
	if text, err = read(file); err != nil {
		return nil, nil, &applet.Exit{Code: readExitCode(err), Line: e.Name + ": unable to read " + file + ": " + applet.Reason(err)}
	}
	if commands, err = parse(text); err != nil {
		return nil, nil, &applet.Exit{Code: exitInvalid, Line: e.Name + ": " + file + err.Error()}
	}
	return text, commands, nil
}

// read reads a script by plain system calls: package os would make the runtime
// open descriptors for its poller. So that the runtime does not get low ones
// later either, read reserves them (see reserveLowFDs).
func read(file string) ([]byte, error) {
	fd, err := retry(func() (int, error) { return unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, err
	}
	defer unix.Close(reserveLowFDs(fd))
	text := make([]byte, 4<<10)
	for size := 0; ; {
		n, err := retry(func() (int, error) { return unix.Read(fd, text[size:]) })
		if size += n; n <= 0 || err != nil {
			return text[:max(size, 0)], err
		}
		if size > maxScriptSize {
			return nil, fmt.Errorf("more than %d bytes", maxScriptSize)
		}
		if size == len(text) {
			text = append(text, make([]byte, size)...)
		}
	}
}

func readExitCode(err error) int {
	if errors.Is(err, fs.ErrNotExist) {
		return program.ExitNotFound
	}
	return program.ExitNotExecutable
}

// A pos is a position in the script. Line and column count from 1, the column
// in bytes; it is 0 where it is beyond what the parser counts.
type pos struct{ line, col int }

func (p pos) String() string {
	if p.col == 0 {
		return itoa(p.line)
	}
	return itoa(p.line) + ":" + itoa(p.col)
}

// A scriptError is an error in a script, or in executing it, with its position.
type scriptError struct {
	pos
	text string
}

func (f *scriptError) Error() string { return ":" + f.pos.String() + ": " + f.text }

// unsupported returns the error for a feature of the shell that is not in the
// language; what is a plural.
func unsupported(at pos, what string) error {
	return &scriptError{at, what + " are not supported: use a shell"}
}
