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

// Envdir is envdir(8). It exits 111 on wrong usage, unlike all other tools.
var Envdir = applet.Command{
	Name:     "envdir",
	Synopsis: envdirSynopsis,
	Summary:  "run a program with an environment from the files of a directory",
	Section:  8,
	Help: `Executes the program child with an environment variable for every file in dir: the
value is its first line without trailing blanks, with each NUL replaced by a line
feed. An empty file removes the variable. Names that begin with a dot are ignored.
`,
	Run: func(e *applet.Env) error { return runFirst(e, envdir) },
}

func envdir(s *stage) error {
	if len(s.Args) < 2 {
		return &applet.Exit{Code: applet.ExitTemporary, Line: "envdir: usage: " + envdirSynopsis}
	}
	dir := s.Args[0]
	err := s.environ.readDir(dir, nil)
	var stepErr *stepError
	switch {
	case err == nil:
		return s.exec(s.Args[1:])
	case !errors.As(err, &stepErr):
		return err
	}
	what := "unable to "
	switch stepErr.step {
	case stepOpenCwd:
		what += "switch to current directory"
	case stepChdir:
		what += "switch to directory " + dir
	case stepOpen, stepList:
		what += "read directory " + dir
	case stepRead:
		what += "read " + dir + "/" + stepErr.name
	case stepReturn:
		what += "switch to starting directory"
	}
	return applet.Fatal(what, stepErr.err)
}

// A step of reading an environment from a directory. envdir and chpst have
// different messages for the errors of each.
type step int

const (
	stepOpenCwd step = iota // open the working directory
	stepChdir               // go to the directory
	stepOpen                // open it
	stepList                // list it
	stepRead                // read a file
	stepReturn              // go back
)

// A stepError is the error of a step.
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
		return &stepError{stepOpenCwd, "", err}
	}
	defer syscall.Close(here)
	if err = syscall.Chdir(dir); err != nil {
		return &stepError{stepChdir, "", err}
	}
	names, err := listDir(".")
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, ".") {
			continue
		}
		data, err := readFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			stepErr := &stepError{stepRead, name, err}
			if tolerate != nil && tolerate(stepErr) {
				continue
			}
			return stepErr
		}
		if len(data) == 0 {
			e.unset(name)
		} else {
			e.set(name, fileValue(data))
		}
	}
	if err = syscall.Fchdir(here); err != nil {
		return &stepError{stepReturn, "", err}
	}
	return nil
}

// fileValue returns the value in a file that is not empty: the first line without
// trailing blanks, with each NUL replaced by a line feed.
func fileValue(data []byte) string {
	line, _, _ := bytes.Cut(data, []byte{'\n'})
	line = bytes.TrimRight(line, " \t")
	return string(bytes.ReplaceAll(line, []byte{0}, []byte{'\n'}))
}

// Files and directories are read without package os, which would create an epoll
// descriptor and so slow down every chain.

// listDir returns the names in a directory. The error is a *stepError.
func listDir(dir string) (names []string, err error) {
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

// readFile reads a file of any kind. It never blocks: a FIFO without a writer is
// empty, and one with a writer but no data is an error (EAGAIN).
func readFile(name string) ([]byte, error) {
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
