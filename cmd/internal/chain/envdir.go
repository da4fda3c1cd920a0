package chain

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"svinit/cmd/internal/applet"
)

const envdirSynopsis = "envdir dir child"

// Envdir is envdir(8). Its wrong use exits 111, unlike all others'.
var Envdir = applet.Command{
	Name:     "envdir",
	Synopsis: envdirSynopsis,
	Summary:  "run a program with an environment from the files of a directory",
	Section:  8,
	Help: `Becomes the program child, with a variable for every file in dir: its name, and its
first line without the blanks at the end. A NUL stands for a line feed. An empty
file removes the variable. Names that begin with a dot are left alone.
`,
	Run: func(e *applet.Env) error { return first(e, envdir) },
}

func envdir(l *link) error {
	if len(l.Args) < 2 {
		return &applet.Exit{Code: applet.Refused, Line: "envdir: usage: " + envdirSynopsis}
	}
	dir := l.Args[0]
	err := l.environ.readDir(dir, nil)
	var at *stepError
	switch {
	case err == nil:
		return l.exec(l.Args[1:])
	case !errors.As(err, &at):
		return err
	}
	what := "unable to "
	switch at.step {
	case stepHere:
		what += "switch to current directory"
	case stepChdir:
		what += "switch to directory " + dir
	case stepOpen, stepList:
		what += "read directory " + dir
	case stepRead:
		what += "read " + dir + "/" + at.name
	case stepBack:
		what += "switch to starting directory"
	}
	return applet.Fatal(what, at.err)
}

// step is what reading an environment from a directory is made of, for
// envdir and chpst have words of their own for each.
type step int

const (
	stepHere  step = iota // open the working directory
	stepChdir             // go to the directory
	stepOpen              // open it
	stepList              // list it
	stepRead              // read a file
	stepBack              // go back
)

// A stepError is where it ended.
type stepError struct {
	step step
	name string // of the file
	err  error
}

func (e *stepError) Error() string { return e.name + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// readDir changes e as the files of dir say, in the order in which the
// directory has them. The directory is entered and left again, since it may be
// one that can be entered only. tolerate is asked whether an error of a file
// may pass.
func (e *environment) readDir(dir string, tolerate func(*stepError) bool) error {
	here, err := syscall.Open(".", syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return &stepError{stepHere, "", err}
	}
	defer syscall.Close(here)
	if err = syscall.Chdir(dir); err != nil {
		return &stepError{stepChdir, "", err}
	}
	names, err := list(".")
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, ".") {
			continue
		}
		data, err := slurp(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			at := &stepError{stepRead, name, err}
			if tolerate != nil && tolerate(at) {
				continue
			}
			return at
		}
		if len(data) == 0 {
			e.unset(name)
		} else {
			e.set(name, value(data))
		}
	}
	if err = syscall.Fchdir(here); err != nil {
		return &stepError{stepBack, "", err}
	}
	return nil
}

// value is what a file that is not empty says: the first line without its
// trailing blanks, with a line feed for each NUL.
func value(data []byte) string {
	line, _, _ := bytes.Cut(data, []byte{'\n'})
	line = bytes.TrimRight(line, " \t")
	return string(bytes.ReplaceAll(line, []byte{0}, []byte{'\n'}))
}

// Files and directories are read without package os, which would make an epoll
// descriptor for them: that is time in every chain.

// list returns the names in a directory. The error is a stepError.
func list(dir string) (names []string, err error) {
	fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &stepError{stepOpen, "", err}
	}
	defer syscall.Close(fd)
	var b [8192]byte
	for {
		n, err := syscall.ReadDirent(fd, b[:])
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return nil, &stepError{stepList, "", err}
		case n == 0:
			return names, nil
		default:
			_, _, names = syscall.ParseDirent(b[:n], -1, names)
		}
	}
}

// slurp reads a file of any kind. It waits for nobody: a FIFO without writers
// is empty, and one with a silent writer an error.
func slurp(name string) ([]byte, error) {
	fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	data := make([]byte, 0, 256)
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := syscall.Read(fd, data[len(data):cap(data)])
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return nil, err
		case n == 0:
			return data, nil
		default:
			data = data[:len(data)+n]
		}
	}
}
