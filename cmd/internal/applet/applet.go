// Package applet is the framework of all tools of the binary: their arguments and
// environment, exit codes, and messages in the format of daemontools.
//
// # Commands
//
// A tool is a [Command] with a function Run that takes an [Env], which has its
// arguments and standard streams, and returns an error. It never calls os.Exit and
// never reads os.Args. [Command.Main] turns the error into an exit code and a line
// on stderr:
//
//	nil                     0    nothing
//	Fatal(what, err)        111  NAME: fatal: WHAT: REASON       in daemontools' words
//	any other error         111  NAME: fatal: ERROR              in Go's words
//	ErrUsage                100  NAME: usage: SYNOPSIS
//	Exit{Code, Line}        Code LINE                            verbatim
//	Silent(code)            code nothing
//
// [Env.Warn] writes warnings.
//
// # Start-up
//
// svc starts this binary to write one byte, so the start-up of the binary is most
// of its run time. Commands are package variables that the linker initializes:
// there are no maps and no init functions.
package applet

import (
	"os"
	"syscall"
)

// Env has the arguments, standard streams and environment of a tool.
type Env struct {
	Name   string   // argv[0] without directories, or "svinit: NAME"
	Args   []string // without argv[0]
	Stdin  *os.File
	Stdout *os.File
	Stderr *os.File
	Getenv func(string) string
	// Environ returns the whole environment, like os.Environ.
	Environ func() []string
	// Tool reports whether the binary has a tool of that name, which starts if
	// argv[0] is that name.
	Tool func(name string) bool
	// Version returns the version of svinit.
	Version func() string
}

// Log writes "NAME: TEXT" to stderr in one write, so that lines of several
// processes do not mix.
func (e *Env) Log(text string) { e.Stderr.WriteString(e.Name + ": " + text + "\n") }

// Warn logs "warning: WHAT: REASON", without the reason if err is nil.
func (e *Env) Warn(what string, err error) { e.Log("warning: " + withReason(what, err)) }

// Command is a tool.
type Command struct {
	Name       string
	Compat     bool   // another init: only --install --compat links it, and "svinit NAME" does not run it
	Subcommand bool   // it runs only as "svinit NAME": there is no link of that name
	Synopsis   string // the command line, as in "svok dir"
	Summary    string // as in the NAME section of its manual page
	Section    int    // of the manual
	Help       string // complete lines, which "svinit help NAME" prints below the synopsis
	Run        func(*Env) error
	// TextArgs says that --help is an argument like any other, as in the original.
	TextArgs bool
	// KeepSignals are the signals that the tool catches by os/signal, or that must
	// not kill it. All others get their default action.
	KeepSignals []syscall.Signal
}

// Main runs the tool, reports its error and returns its exit code.
func (c *Command) Main(e *Env) int {
	if !c.Compat { // they catch all signals
		resetSignals(c.KeepSignals)
	}
	if len(e.Args) > 0 && e.Args[0] == "--help" && !c.TextArgs && !c.Compat {
		e.Stdout.WriteString(c.HelpText())
		return 0
	}
	code, line := exitStatus(e.Name, c.Synopsis, c.Run(e))
	if line != "" {
		e.Stderr.WriteString(line + "\n")
	}
	return code
}
