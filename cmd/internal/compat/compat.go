// Package compat implements other inits that run a single program: tini (docker-init is
// the same), dumb-init and catatonit. Under their names svinit has their options and
// their behaviour, so that only the binary in an image has to be replaced. It does not
// supervise services then.
//
// doc/differences.md lists the differences. For all of them: svinit always adopts
// orphans, it forwards every signal, and after Ctrl-Z it continues a program that no
// other process can continue.
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

// runProgram runs the main program and returns its exit code as an applet.Silent. If the
// program cannot be started, failed reports that and returns the exit code.
func runProgram(e *applet.Env, o foreground.Options, failed func(err error) int) error {
	if err := program.CheckShebang(e.Name, o.Command); err != nil {
		return &applet.Exit{Code: applet.ExitPermanent, Line: e.Name + ": fatal: " + err.Error()}
	}
	code, err := foreground.Run(o)
	if err != nil {
		code = failed(err)
	}
	return applet.Silent(code)
}

// printText writes a text, such as the usage, to f.
func printText(f *os.File, text string) error {
	_, err := f.WriteString(text)
	return err
}

// errnoOf returns the errno of an error, or 0.
func errnoOf(err error) syscall.Errno {
	var e syscall.Errno
	errors.As(err, &e)
	return e
}

// reasonOf returns the text of an error as in the C library, and the reason for ENOENT if
// it is the interpreter that does not exist.
func reasonOf(err error) string {
	e := errnoOf(err)
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

// describeStatus describes how a process exited.
func describeStatus(ws syscall.WaitStatus) string {
	if ws.Signaled() {
		return "was killed by " + signame.Full(ws.Signal())
	}
	return "exited with code " + strconv.Itoa(ws.ExitStatus())
}

// isSet reports whether a variable is set; it may be empty.
func isSet(e *applet.Env, name string) bool {
	for _, v := range e.Environ() {
		if n, _, _ := strings.Cut(v, "="); n == name {
			return true
		}
	}
	return false
}

// license is a short form of svinit's license.
const license = `svinit is free software under the MIT license: use, copy, change and pass it
on as you like, with its copyright notice, and without any warranty.
`
