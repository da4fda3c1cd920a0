// Package applet is what all tools of the binary share: what a tool is given
// and gives back, and the voice of daemontools.
//
// # Commands
//
// A tool is a [Command] with a function Run that takes an [Env], its
// arguments and standard streams, and returns an error. It never exits by
// itself and never looks at os.Args. [Command.Main] turns the error into one
// line on stderr and an exit code:
//
//	nil                     0    nothing
//	Fatal(what, err)        111  NAME: fatal: WHAT: REASON       djb's words
//	any other error         111  NAME: fatal: ERROR              the system's
//	ErrUsage                100  NAME: usage: SYNOPSIS
//	Exit{Code, Line}        Code LINE                            as it is
//	Silent(code)            code nothing
//
// What does not end the tool is said by [Env.Warn].
//
// # Start-up
//
// A client tool is started to write one byte, so all tools' start-up is the
// start-up of this binary. Commands are package variables that the linker lays
// out: no map, no init function, nothing computed.
package applet

import (
	"os"
	"syscall"
)

// Env is what a tool is given.
type Env struct {
	Name   string   // the name it is called by, without directories
	Args   []string // without the name
	Stdin  *os.File
	Stdout *os.File
	Stderr *os.File
	Getenv func(string) string
	// Environ returns the whole environment, as in os.Environ.
	Environ func() []string
	// Tool reports whether the binary has a tool of that name, to be started
	// with the name as argv[0].
	Tool func(name string) bool
	// Version returns that of svinit.
	Version func() string
}

// Say writes "NAME: TEXT" to stderr in one write, so that lines of several
// processes do not mix.
func (e *Env) Say(text string) { e.Stderr.WriteString(e.Name + ": " + text + "\n") }

// Warn says "warning: WHAT: REASON", without the reason when err is nil.
func (e *Env) Warn(what string, err error) { e.Say("warning: " + phrase(what, err)) }

// Command is a tool.
type Command struct {
	Name     string
	Compat   bool   // it is another init: its link is made by --install --compat, and "svinit NAME" is not it
	Sub      bool   // it is called as "svinit NAME" alone: there is no link of that name
	Synopsis string // arguments and all, as in "svok dir"
	Summary  string // what it does, as in the NAME line of its manual page
	Section  int    // of the manual
	Help     string // what "svinit help NAME" says below the synopsis, whole lines
	Run      func(*Env) error
	// Keep is the signals that the tool catches by os/signal, or that must not
	// end it. All others have their default action.
	Keep []syscall.Signal
}

// Main runs the tool, says its error and returns its exit code.
func (c *Command) Main(e *Env) int {
	endBySignals(c.Keep)
	code, line := verdict(e.Name, c.Synopsis, c.Run(e))
	if line != "" {
		e.Stderr.WriteString(line + "\n")
	}
	return code
}
