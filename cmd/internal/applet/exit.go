package applet

import (
	"errors"

	"svinit/services/program"
)

// Exit codes, as in all tools of daemontools.
const (
	ExitPermanent = program.ExitPermanent // wrong usage: a retry cannot succeed
	ExitTemporary = program.ExitTemporary // an error of the system: a retry may succeed
)

// Exit is an error with an exit code and a line for stderr, which is written
// verbatim; an empty Line is not written.
type Exit struct {
	Code int
	Line string
}

func (e *Exit) Error() string { return e.Line }

// Silent returns the error that ends a tool with an exit code and no message.
func Silent(code int) error { return &Exit{Code: code} }

// ErrUsage ends a tool with its usage line and ExitPermanent.
var ErrUsage error = usageError{}

type usageError struct{}

func (usageError) Error() string { return "wrong usage" }

// Fatal returns the error that ends a tool with ExitTemporary and the line
// "NAME: fatal: WHAT: REASON". The parameter what is a verb phrase, as in "unable
// to chdir to DIR"; the reason is that of [Reason], omitted if err is nil.
func Fatal(what string, err error) error { return &fatal{what, err} }

type fatal struct {
	what string
	err  error
}

func (f *fatal) Error() string { return withReason(f.what, f.err) }
func (f *fatal) Unwrap() error { return f.err }

func withReason(what string, err error) string {
	if err == nil {
		return what
	}
	return what + ": " + Reason(err)
}

// exitStatus returns the exit code and the line for an error of a tool.
func exitStatus(name, synopsis string, err error) (code int, line string) {
	if err == nil {
		return 0, ""
	}
	if err == ErrUsage {
		return ExitPermanent, name + ": usage: " + synopsis
	}
	var exit *Exit
	if errors.As(err, &exit) {
		return exit.Code, exit.Line
	}
	return ExitTemporary, name + ": fatal: " + err.Error()
}
