// Package program says whether a file can be executed, and if not, why: it
// finds a program in PATH as execvp(3) does, reads the first line of a script,
// and names what execve(2) has no error number for (a missing interpreter, a
// line that ends with CR LF, a byte order mark).
package program

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// CheckExecutable returns an error when path is not an executable regular
// file. The error names the file and the remedy; what stat(2) answers beyond
// ENOENT is wrapped in it.
func CheckExecutable(path string) error {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	switch {
	case err == unix.ENOENT:
		if target, err := os.Readlink(path); err == nil {
			return fmt.Errorf("%s is a link to %s, which does not exist", path, target)
		}
		return fmt.Errorf("%s does not exist: put an executable there", path)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return fmt.Errorf("%s is a directory: put an executable there", path)
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return fmt.Errorf("%s is not a file: put an executable there", path)
	case st.Mode&0o111 == 0:
		return fmt.Errorf("%s is not executable: chmod +x it", path)
	}
	return nil
}

// ExplainStart says why the program at path could not be started, where a fork
// and execve(2) answered err.
func ExplainStart(path string, err error) error {
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return errors.New("cannot fork (a limit on processes, or on the container's pids): " + err.Error())
	case errors.Is(err, syscall.EBADF):
		// syscall.ForkExec moves descriptors to higher numbers, and dup3(2)
		// answers EBADF for a number beyond the limit.
		return syscall.EMFILE
	case !aboutFile(err):
		return err
	}
	if dir := filepath.Dir(path); !isDir(dir) {
		return fmt.Errorf("the directory %s is gone", dir)
	}
	if why := CheckExecutable(path); why != nil {
		return why
	}
	if why := ExplainExec(path, err); why != err {
		return why
	}
	return fmt.Errorf("%s: %w", path, err)
}

func isDir(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}

// aboutFile reports whether an error of execve(2) may be about what is in the
// file.
func aboutFile(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOEXEC)
}

// ExplainExec says why the program at path could not be executed, where
// execve(2) answered err: that same err, or an error that names what is
// missing. execve(2) answers ENOENT both for a missing program and for a
// missing interpreter of it, so ExplainExec looks.
func ExplainExec(path string, err error) error {
	if _, serr := os.Stat(path); serr != nil || !aboutFile(err) {
		return err
	}
	if why := CheckExecutable(path); why != nil {
		return why
	}
	line, ok := FirstLine(path)
	if !ok {
		return err
	}
	interpreter, isScript := strings.CutPrefix(line, "#!")
	switch {
	case strings.HasPrefix(line, "\xef\xbb\xbf#!"):
		return fmt.Errorf("%s begins with a byte order mark, before its #!: save it as UTF-8 without one", path)
	case !isScript && errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("%s has no #! in its first line and is no program of this machine: %w", path, err)
	case !isScript && errors.Is(err, fs.ErrNotExist) && !strings.HasPrefix(line, "\x7fELF"):
		return fmt.Errorf("%s has no #! in its first line, and there is no /bin/sh for it", path) // see execvp(3)
	case !isScript && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: the loader or a library that it asks for does not exist", path)
	case isScript && strings.HasSuffix(line, "\r"):
		return fmt.Errorf("%s %s", path, crlf)
	case isScript:
		fields := strings.Fields(interpreter)
		if len(fields) == 0 {
			return fmt.Errorf("%s has no interpreter after the #! of its first line", path)
		}
		if _, serr := os.Stat(fields[0]); errors.Is(serr, fs.ErrNotExist) {
			return fmt.Errorf("%s: its interpreter %s does not exist", path, fields[0])
		}
		return fmt.Errorf("%s, or its interpreter %s, cannot be executed: %w", path, fields[0], err)
	}
	return err
}
