package spec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Exec is what the program of a service gets from its start: environment, user,
// rights and limits. What is nil, empty or false is as svinit has it itself.
type Exec struct {
	ClearEnv bool       // the container's environment is not inherited
	Env      []Variable // in the order in which they are set, after those of User
	User     *User
	Dir      string // the working directory, an absolute path

	Umask       *uint32
	Nice        *int // -20 to 19
	OOMScoreAdj *int // -1000 to 1000
	Limits      []Limit

	NoNewPrivs   bool
	Capabilities *uint64 // all that it has, a bit each

	// Invalid is why nothing of the service may be started: it would have another
	// user, rights or directory than it was to have, or lack a secret.
	Invalid error
}

// execFiles are the files of which Exec is made.
const execFiles listing = 1<<fileEnv | 1<<fileEnvClear | 1<<fileEnvSecrets | 1<<fileUser | 1<<fileWorkingDirectory |
	1<<fileUmask | 1<<fileNice | 1<<fileOOMScoreAdj | 1<<fileLimits | 1<<fileNoNewPrivs | 1<<fileCapabilities

// execReader reads the files of which an Exec is made.
type execReader struct {
	*reader
	Exec
	size int // of the variables, in bytes
}

// loadExec reads what is in a service directory of an Exec, nil for nothing.
func (files *reader) loadExec() *Exec {
	if files.found&execFiles == 0 {
		return nil
	}
	r := execReader{reader: files}
	for _, read := range []struct {
		file file
		as   func(name string)
	}{
		{fileEnvClear, r.readEnvClear},
		{fileEnv, r.readEnv},
		{fileEnvSecrets, r.readSecrets},
		{fileUser, r.readUser},
		{fileWorkingDirectory, r.readWorkingDirectory},
		{fileUmask, r.readUmask},
		{fileNice, func(name string) { r.Nice = r.integer(name, -20, 19, "10") }},
		{fileOOMScoreAdj, func(name string) { r.OOMScoreAdj = r.integer(name, -1000, 1000, "-500") }},
		{fileLimits, r.readLimits},
		{fileNoNewPrivs, r.readNoNewPrivs},
		{fileCapabilities, r.readCapabilities},
	} {
		if r.found.has(read.file) {
			read.as(names[read.file])
		}
	}
	return &r.Exec
}

// wrong adds a problem with what is in a file.
func (r *execReader) wrong(name string, line int, fatal bool, format string, args ...any) {
	r.add(Problem{File: r.path + "/" + name, Line: line, Verb: "use", Err: fmt.Errorf(format, args...), Fatal: fatal})
}

// unreadable adds a problem with a file as a whole.
func (r *execReader) unreadable(name string, fatal bool, err error) {
	r.add(Problem{File: r.path + "/" + name, Verb: "use", Err: cause(err), Fatal: fatal})
}

func (r *execReader) add(p Problem) {
	r.problems = append(r.problems, p)
	if p.Fatal && r.Invalid == nil {
		r.Invalid = fmt.Errorf("%s: %w", p.Object(), p.Err)
	}
}

// cause returns what is wrong with a file, without its name.
func cause(err error) error {
	switch inner := errors.Unwrap(err); {
	case inner == nil:
		return err
	case errors.Is(inner, unix.ENOENT):
		return errors.New("it, or what it links to, does not exist")
	default:
		return inner
	}
}

// value returns the one value of a file, without blanks and line feeds around it.
func (r *execReader) value(name string, fatal bool, example string) (value string, ok bool) {
	text, err := ReadFile(r.path + "/" + name)
	if err != nil {
		r.unreadable(name, fatal, err)
		return "", false
	}
	value = strings.TrimSpace(string(text))
	switch {
	case value == "":
		r.wrong(name, 0, fatal, "it is empty: write a value such as %s", example)
	case strings.ContainsAny(value, "\n\x00"):
		r.wrong(name, 0, fatal, "it has more than one line: write a value such as %s", example)
	default:
		return value, true
	}
	return "", false
}

// integer returns the number in a file, nil if there is none.
func (r *execReader) integer(name string, least, most int, example string) *int {
	value, ok := r.value(name, false, example)
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		r.wrong(name, 1, false, "%s is not a number from %d to %d: write one such as %s", quote(value), least, most, example)
		return nil
	}
	return &n
}

// quote quotes a word of the user, cut where it is long.
func quote(s string) string {
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return strconv.Quote(s)
}

func (r *execReader) readUmask(name string) {
	const example = "027"
	value, ok := r.value(name, false, example)
	if !ok {
		return
	}
	n, err := strconv.ParseUint(value, 8, 32)
	if err != nil || n > 0o777 {
		r.wrong(name, 1, false, "%s is not an octal number from 0 to 777: write one such as %s", quote(value), example)
		return
	}
	mask := uint32(n)
	r.Umask = &mask
}

// readWorkingDirectory reads a path, absolute or relative to the service directory.
// Without the directory that it names the program would write in another one, so
// the service stays down.
func (r *execReader) readWorkingDirectory(name string) {
	const example = "/var/lib/web"
	path, ok := r.value(name, true, example)
	if !ok {
		return
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.path, path)
	}
	r.Dir = path
	var st unix.Stat_t
	switch err := unix.Stat(path, &st); {
	case err == unix.ENOENT:
		r.wrong(name, 1, true, "%s does not exist: mkdir it, or write the path of a directory such as %s", path, example)
	case err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR:
		r.wrong(name, 1, true, "%s is not a directory: write the path of one such as %s", path, example)
	}
}

// readNoNewPrivs reads a switch: the file may be empty.
func (r *execReader) readNoNewPrivs(name string) {
	text, err := ReadFile(r.path + "/" + name)
	if err != nil {
		r.unreadable(name, true, err)
		return
	}
	switch value := strings.TrimSpace(string(text)); value {
	case "", "1":
		r.NoNewPrivs = true
	case "0":
	default:
		r.wrong(name, 1, true, "%s is neither 1 nor 0: leave the file empty, which means 1", quote(value))
	}
}

// readEnvClear takes the file for what it says, whatever it is and has in it: a
// program must not get by a mistake what it was not to get.
func (r *execReader) readEnvClear(name string) {
	r.ClearEnv = true
	text, err := ReadFile(r.path + "/" + name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		r.unreadable(name, false, err)
	case err != nil:
		r.wrong(name, 0, false, "%w: make it an empty file", cause(err))
	case strings.TrimSpace(string(text)) != "":
		r.wrong(name, 1, false, "its content has no meaning: leave it empty, and put variables into env/")
	}
}
