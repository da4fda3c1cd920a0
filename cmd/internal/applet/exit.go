package applet

import "errors"

// Exit codes, as all of daemontools has them.
const (
	Wrong   = 100 // wrong use: the same again will not work either
	Refused = 111 // the system refused: it may work later
)

// Exit is an error with its exit code and its line, said as it is; nothing is
// said when Line is empty.
type Exit struct {
	Code int
	Line string
}

func (e *Exit) Error() string { return e.Line }

// Silent returns the error that ends a tool with a code and without a word.
func Silent(code int) error { return &Exit{Code: code} }

// ErrUsage ends a tool with its usage line and Wrong.
var ErrUsage error = usage{}

type usage struct{}

func (usage) Error() string { return "wrong usage" }

// Fatal returns the error that ends a tool with Refused and the line
// "NAME: fatal: WHAT: REASON". What is a verb phrase, as in "unable to chdir
// to DIR"; the reason is [Reason]'s, and left out when err is nil.
func Fatal(what string, err error) error { return &fatal{what, err} }

type fatal struct {
	what string
	err  error
}

func (f *fatal) Error() string { return phrase(f.what, f.err) }
func (f *fatal) Unwrap() error { return f.err }

func phrase(what string, err error) string {
	if err == nil {
		return what
	}
	return what + ": " + Reason(err)
}

// verdict says what the error of the tool name comes to.
func verdict(name, synopsis string, err error) (code int, line string) {
	if err == nil {
		return 0, ""
	}
	if err == ErrUsage {
		return Wrong, name + ": usage: " + synopsis
	}
	var exit *Exit
	if errors.As(err, &exit) {
		return exit.Code, exit.Line
	}
	return Refused, name + ": fatal: " + err.Error()
}
