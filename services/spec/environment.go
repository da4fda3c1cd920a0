package spec

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Variable is a change of the environment.
type Variable struct {
	Name, Value string
	Unset       bool // it is removed
}

const (
	// maxVariables is how many entries of a directory of variables are read.
	maxVariables = 1000
	// maxEnvironment is how many bytes the variables of a service may have: the
	// kernel takes 2 MiB of arguments and environment together by default.
	maxEnvironment = 1 << 20
)

// readEnv reads the directory env, as envdir(8) does.
func (r *execReader) readEnv(name string) {
	for _, variable := range r.variables(name, false) {
		path := name + "/" + variable
		text, err := ReadFile(r.path + "/" + path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			// Removed since the directory was read, or a link that leads nowhere:
			// envdir removes the variable.
			r.unreadable(path, false, err)
			r.set(path, Variable{Name: variable, Unset: true}, false)
		case err != nil:
			r.unreadable(path, false, err)
		case len(text) == 0:
			r.set(path, Variable{Name: variable, Unset: true}, false)
		default:
			line, rest, _ := bytes.Cut(text, []byte{'\n'})
			if len(bytes.TrimSpace(rest)) > 0 {
				r.wrong(path, 2, false, "only the first line is the value: write a NUL in place of each line feed within it")
			}
			line = bytes.TrimRight(line, " \t")
			r.set(path, Variable{Name: variable, Value: string(bytes.ReplaceAll(line, []byte{0}, []byte{'\n'}))}, false)
		}
	}
}

// readSecrets reads the directory env-secrets. Each file has the path of a file,
// whose content is the value; line feeds at its end do not belong to it, as in a
// shell's $(cat FILE).
func (r *execReader) readSecrets(name string) {
	for _, variable := range r.variables(name, true) {
		file := name + "/" + variable
		path, ok := r.value(file, true, "/run/secrets/"+strings.ToLower(variable))
		if !ok {
			continue
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(r.path, path)
		}
		text, err := ReadFile(path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			r.wrong(file, 1, true, "the secret %s does not exist: mount it there", path)
			continue
		case err != nil:
			r.wrong(file, 1, true, "unable to read the secret %s: %w", path, cause(err))
			continue
		case bytes.IndexByte(text, 0) >= 0:
			r.wrong(file, 1, true, "the secret %s has a NUL in it, which no variable can have: encode it, as base64 does", path)
			continue
		}
		if slices.ContainsFunc(r.Env, func(v Variable) bool { return v.Name == variable }) {
			r.wrong(file, 0, false, "env/%s sets the same variable and has no effect: remove one of the two", variable)
		}
		r.set(file, Variable{Name: variable, Value: strings.TrimRight(string(text), "\n")}, true)
	}
}

// set adds a variable, unless the environment becomes too large.
func (r *execReader) set(path string, v Variable, fatal bool) {
	if r.size += len(v.Name) + len(v.Value); r.size > maxEnvironment {
		r.wrong(path, 0, fatal, "the variables of this service have more than 1 MiB in all: remove some")
		return
	}
	r.Env = append(r.Env, v)
}

// variables returns the names of the variables in a directory, in order. Names that
// begin with a dot are ignored, as in envdir.
func (r *execReader) variables(name string, fatal bool) (variables []string) {
	found, err := listNames(r.path + "/" + name)
	if err == unix.ENOTDIR {
		r.wrong(name, 0, fatal, "it is not a directory: make it one, with a file for each variable such as %s/PORT", name)
		return nil
	}
	if err != nil {
		r.unreadable(name, fatal, &os.PathError{Op: "open", Path: name, Err: err})
		return nil
	}
	for _, variable := range found {
		switch {
		case strings.HasPrefix(variable, "."):
		case strings.Contains(variable, "="):
			r.wrong(name+"/"+variable, 0, fatal, "the name of a variable has no = in it: rename the file, as in %s/PORT", name)
		default:
			variables = append(variables, variable)
		}
	}
	slices.Sort(variables)
	if len(variables) > maxVariables {
		r.wrong(name, 0, fatal, "it has more than %d files: remove some", maxVariables)
		variables = variables[:maxVariables]
	}
	return variables
}

// listNames returns the names in a directory, a few more than maxVariables at most.
func listNames(dir string) (names []string, err error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var buf [4096]byte
	for len(names) <= maxVariables {
		n, err := unix.ReadDirent(fd, buf[:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, err
		case n <= 0:
			return names, nil
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
	return names, nil
}
