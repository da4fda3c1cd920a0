package services

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// checkProgram looks at what ought to be an executable file. The error names
// it and the remedy.
func checkProgram(path string) error {
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

// explainStart says why dir/run could not be started. execve(2) answers
// "no such file" alike for a missing run and for a missing interpreter, so it
// looks.
func explainStart(dir string, err error) error {
	path := filepath.Join(dir, "run")
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return errors.New("no process is to be had (a limit of processes, or of the container's pids): " + err.Error())
	case errors.Is(err, syscall.EBADF):
		// syscall.ForkExec moves descriptors up, and beyond the limit dup3(2)
		// calls them bad.
		return syscall.EMFILE
	case !aboutFile(err):
		return err
	}
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		return fmt.Errorf("the directory %s is gone", dir)
	}
	if why := checkProgram(path); why != nil {
		return why
	}
	if why := ExplainExec(path, err); why != err {
		return why
	}
	return fmt.Errorf("%s: %w", path, err)
}

// aboutFile reports whether an error of execve(2) may be about what is in the
// file.
func aboutFile(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOEXEC)
}

// ExplainExec returns why the program at path could not be executed, when
// execve(2) answered err: the same error, or one that names what is missing.
func ExplainExec(path string, err error) error {
	if _, serr := os.Stat(path); serr != nil || !aboutFile(err) {
		return err
	}
	if why := checkProgram(path); why != nil {
		return why
	}
	line, ok := firstLine(path)
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
		return fmt.Errorf("%s ends its first line with CR LF, as Windows does: save it with LF alone", path)
	case isScript:
		fields := strings.Fields(interpreter)
		if len(fields) == 0 {
			return fmt.Errorf("%s names no interpreter after #!", path)
		}
		if _, serr := os.Stat(fields[0]); errors.Is(serr, fs.ErrNotExist) {
			return fmt.Errorf("%s: its interpreter %s does not exist", path, fields[0])
		}
		return fmt.Errorf("%s, or its interpreter %s, cannot be executed: %w", path, fields[0], err)
	}
	return err
}

// firstLine reads the first line of a file, of which the kernel looks at 256
// bytes.
func firstLine(path string) (string, bool) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // it may be a FIFO by now
	if err != nil {
		return "", false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return "", false
	}
	line, _, _ := bytes.Cut(b, []byte{'\n'})
	return string(line), true
}
