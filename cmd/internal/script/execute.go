package script

import (
	"bytes"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
)

// A runner executes the commands of a script.
type runner struct {
	prefix  string   // of its error messages
	args    []string // $0, $1...
	pid     int      // $$
	vars    variables
	outer   *variables // the script's variables while vars are those of one command, else nil
	nounset bool       // set -u
	fds     fdTable
	hasTool func(name string) bool // whether the binary has this tool
	self    string                 // path of the binary, from the first line of the script
}

// defaultPath is dash's PATH if none is set.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func newRunner(e *applet.Env, args []string, text []byte) *runner {
	r := &runner{
		prefix: e.Name + ": " + args[0], args: args, pid: os.Getpid(),
		vars: inherit(e.Environ()), fds: inheritedFDs(), hasTool: e.Tool,
	}
	first, _, _ := bytes.Cut(text, []byte{'\n'})
	// With "#!/usr/bin/env -S svinit run" the first word is not our path.
	if words := strings.Fields(strings.TrimPrefix(string(first), "#!")); len(words) == 2 && words[1] == "run" {
		r.self = words[0]
	}
	if _, ok := r.vars.get("PATH"); !ok {
		r.vars.assign("PATH", defaultPath)
	}
	ppid := r.vars.getOrAdd("PPID")
	ppid.assign(itoa(os.Getppid()))
	r.setPWD(r.workingDir())
	return r
}

// workingDir returns the working directory: the path in PWD if it is correct,
// else that of getcwd(2).
func (r *runner) workingDir() string {
	var pwdStat, dotStat unix.Stat_t
	if pwd, _ := r.vars.get("PWD"); strings.HasPrefix(pwd, "/") && unix.Stat(pwd, &pwdStat) == nil &&
		unix.Stat(".", &dotStat) == nil && pwdStat.Dev == dotStat.Dev && pwdStat.Ino == dotStat.Ino {
		return pwd
	}
	dir, err := unix.Getwd()
	if err != nil {
		return "" // the directory has been removed
	}
	return dir
}

// setPWD sets PWD and exports it, as dash does.
func (r *runner) setPWD(dir string) {
	pwd := r.vars.getOrAdd("PWD")
	pwd.assign(dir)
	pwd.exported = true
}

// run executes the commands. It reports errors itself and returns the exit code
// as an applet.Silent.
func (r *runner) run(commands []command) error {
	for i, c := range commands {
		code, err := r.execute(c, i == len(commands)-1)
		if err != nil {
			r.report(r.fds, err)
			return applet.Silent(exitInvalid)
		}
		if code != 0 {
			return applet.Silent(code)
		}
	}
	return nil
}

// report writes an error to the standard error of fds.
func (r *runner) report(fds fdTable, err error) {
	if fd := fds[2]; fd != closed {
		unix.Write(fd, []byte(r.prefix+err.Error()+"\n"))
	}
}

// execute executes one command; the last one replaces the process if it is a
// program. The order of the expansions is dash's.
func (r *runner) execute(c command, last bool) (code int, err error) {
	args, err := r.arguments(c.words)
	if err != nil {
		return 0, err
	}
	fds, opened, err := r.openRedirects(c.redirects)
	if err != nil {
		return 0, err
	}
	if c.builtin == "exec" && len(args) == 1 {
		r.fds = fds
		return 0, r.assign(c.assignments, false)
	}
	defer closeAll(opened)
	switch {
	case len(args) == 0 || c.builtin == "export":
		return 0, r.assign(c.assignments, c.builtin == "export")
	case c.builtin == "exec":
		args, last = args[1:], true
	case c.builtin != "":
		return 0, r.runBuiltin(c, args[1:])
	case inList(supportedBuiltins, args[0]):
		return 0, &scriptError{c.words[0].pos, args[0] + " is not supported as the result of an expansion"}
	case inList(unsupportedBuiltins, args[0]):
		return 0, unsupportedBuiltin(args[0], c.words[0].pos)
	}
	vars := r.vars
	if len(c.assignments) > 0 {
		if vars, err = r.withAssignments(c.assignments); err != nil {
			return 0, err
		}
	}
	p := external{runner: r, command: c, argv: args, vars: vars, fds: fds}
	if last {
		return p.exec(), nil
	}
	return p.forkAndWait(), nil
}

// assign makes the assignments in order; each sees the earlier ones.
func (r *runner) assign(sets []assignment, export bool) error {
	for _, s := range sets {
		if s.value != nil {
			value, err := r.value(s.value.parts)
			if err != nil {
				return err
			}
			r.vars.assign(s.name, value)
		}
		if export {
			r.vars.getOrAdd(s.name).exported = true
		}
	}
	return nil
}

// withAssignments returns the variables for one command with assignments before
// it.
func (r *runner) withAssignments(sets []assignment) (vars variables, err error) {
	outer := r.vars
	r.vars, r.outer = append(variables(nil), outer...), &outer
	err = r.assign(sets, true)
	vars, r.vars, r.outer = r.vars, outer, nil
	return vars, err
}

// openRedirects returns the descriptors for one command, and those that it
// opened.
func (r *runner) openRedirects(files []redirect) (fds fdTable, opened []int, err error) {
	fds = r.fds
	defer func() {
		if err != nil {
			closeAll(opened)
		}
	}()
	for _, f := range files {
		if f.file == nil {
			source := closed
			if f.source != closed {
				if source = fds[f.source]; source == closed {
					return fds, opened, &scriptError{f.pos, "descriptor " + itoa(f.source) + " is not open"}
				}
			}
			fds[f.fd] = source // maybe the same, as in 2>&2
			continue
		}
		name, err := r.value(f.file.parts)
		if err != nil {
			return fds, opened, err
		}
		fd, err := open(name, f.flags)
		if err != nil {
			return fds, opened, &scriptError{f.pos, "unable to open " + name + ": " + applet.Reason(err)}
		}
		opened = append(opened, fd)
		fds[f.fd] = fd
	}
	return fds, opened, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// runBuiltin executes cd, umask, unset, set or ":".
func (r *runner) runBuiltin(c command, args []string) error {
	where := c.words[0].pos
	if problem := checkArguments(c.builtin, args); problem != "" {
		return &scriptError{where, problem}
	}
	switch c.builtin {
	case "cd":
		if err := r.cd(args[0]); err != nil {
			return &scriptError{where, "unable to chdir to " + args[0] + ": " + applet.Reason(err)}
		}
	case "umask":
		m, _ := parseMask(args[0])
		unix.Umask(m)
	case "unset":
		for _, name := range args {
			r.vars.unset(name)
		}
	case "set":
		for _, a := range args {
			r.nounset = r.nounset || strings.Contains(a, "u")
		}
	}
	return nil
}

// cd changes the directory as dash does, by names: .. after a symbolic link is
// the directory that contains the link. CDPATH is ignored.
func (r *runner) cd(dir string) error {
	old, _ := r.vars.get("PWD")
	if !strings.HasPrefix(dir, "/") && old != "" {
		dir = path.Join(old, dir)
	}
	dir = path.Clean(dir)
	if err := unix.Chdir(dir); err != nil {
		return err
	}
	if !strings.HasPrefix(dir, "/") {
		dir, _ = unix.Getwd()
	}
	oldpwd := r.vars.getOrAdd("OLDPWD")
	oldpwd.assign(old)
	oldpwd.exported = true
	r.setPWD(dir)
	return nil
}
