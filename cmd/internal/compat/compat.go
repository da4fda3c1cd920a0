// Package compat is other inits that stand in front of one program: tini
// (docker-init is the same), dumb-init and catatonit. Under such a name svinit
// takes that program's options and does what these mean there, so that an image
// need not change anything but the binary. There are no services then.
//
// What differs is in doc/differences.md. For all of them: orphans are adopted
// without being asked for, every signal is passed on, and Ctrl-Z does not end
// in a program that nobody can continue.
package compat

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"

	"svinit/cmd/internal/applet"
	"svinit/init/foreground"
	"svinit/services/program"
	"svinit/services/signame"
)

// run runs the main program and ends with its exit code. failed reports that it
// could not be started and returns the exit code for that.
func run(e *applet.Env, o foreground.Options, failed func(err error) int) error {
	if err := program.CheckShebang(e.Name, o.Command); err != nil {
		return &applet.Exit{Code: applet.ExitPermanent, Line: e.Name + ": fatal: " + err.Error()}
	}
	code, err := foreground.Run(o)
	if err != nil {
		code = failed(err)
	}
	return applet.Silent(code)
}

// output writes a text, for who asked for it, to f.
func output(f *os.File, text string) error {
	_, err := f.WriteString(text)
	return err
}

// errno is what execvp(3) or another call had for an answer.
func errno(err error) syscall.Errno {
	var e syscall.Errno
	errors.As(err, &e)
	return e
}

// reason is an error as the C library has it, and what it does not say: an
// interpreter that is missing.
func reason(err error) string {
	e := errno(err)
	if e == 0 {
		return err.Error()
	}
	text := e.Error()
	text = strings.ToUpper(text[:1]) + text[1:]
	if why := err.Error(); strings.Contains(why, "interpreter") {
		text += " (" + why + ")"
	}
	return text
}

// status is what became of a process.
func status(ws syscall.WaitStatus) string {
	if ws.Signaled() {
		return "was killed by " + signame.Full(ws.Signal())
	}
	return "ended with code " + strconv.Itoa(ws.ExitStatus())
}

// present reports whether a variable is set, be it to nothing.
func present(e *applet.Env, name string) bool {
	for _, v := range e.Environ() {
		if n, _, _ := strings.Cut(v, "="); n == name {
			return true
		}
	}
	return false
}

// license is svinit's, in short.
const license = `svinit is free software under the MIT license: use, copy, change and pass it
on as you like, with its copyright notice, and without any warranty.
`
