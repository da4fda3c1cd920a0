package script

import (
	"bytes"
	"os"
	"path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
)

// A runner executes the lines of a script.
type runner struct {
	voice   string   // what its faults begin with
	args    []string // $0, $1...
	pid     int      // $$
	vars    variables
	under   *variables // while vars are those of one command, the script's
	nounset bool       // set -u
	streams streams
	tool    func(name string) bool // whether the binary has it
	self    string                 // the binary, by the first line of the script
}

// defaultPath is where dash looks when PATH is not set.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func newRunner(e *applet.Env, args []string, text []byte) *runner {
	r := &runner{
		voice: e.Name + ": " + args[0], args: args, pid: os.Getpid(),
		vars: inherit(e.Environ()), streams: inherited(), tool: e.Tool,
	}
	first, _, _ := bytes.Cut(text, []byte{'\n'})
	// Not so when env is the interpreter.
	if words := strings.Fields(strings.TrimPrefix(string(first), "#!")); len(words) == 2 && words[1] == "run" {
		r.self = words[0]
	}
	if _, ok := r.vars.get("PATH"); !ok {
		r.vars.assign("PATH", defaultPath)
	}
	ppid := r.vars.at("PPID")
	ppid.assign(itoa(os.Getppid()))
	r.moved(r.where())
	return r
}

// where is the working directory: by the name that PWD has for it, if it is
// one.
func (r *runner) where() string {
	var by, is unix.Stat_t
	if pwd, _ := r.vars.get("PWD"); strings.HasPrefix(pwd, "/") && unix.Stat(pwd, &by) == nil &&
		unix.Stat(".", &is) == nil && by.Dev == is.Dev && by.Ino == is.Ino {
		return pwd
	}
	dir, err := unix.Getwd()
	if err != nil {
		return "" // it has been removed
	}
	return dir
}

// moved says in PWD where we are. Programs are told, as by dash.
func (r *runner) moved(dir string) {
	pwd := r.vars.at("PWD")
	pwd.assign(dir)
	pwd.exported = true
}

// run executes the lines. It has said itself what is wrong.
func (r *runner) run(lines []line) error {
	for i, l := range lines {
		code, err := r.execute(l, i == len(lines)-1)
		if err != nil {
			r.say(r.streams, err)
			return applet.Silent(wrong)
		}
		if code != 0 {
			return applet.Silent(code)
		}
	}
	return nil
}

// say writes a fault where the script's standard error is.
func (r *runner) say(to streams, err error) {
	if fd := to[2]; fd != closed {
		unix.Write(fd, []byte(r.voice+err.Error()+"\n"))
	}
}

// execute executes one line; the last takes the place of the process, if it
// is a program. The order of the expansions is dash's.
func (r *runner) execute(l line, last bool) (code int, err error) {
	args, err := r.arguments(l.words)
	if err != nil {
		return 0, err
	}
	to, opened, err := r.redirect(l.files)
	if err != nil {
		return 0, err
	}
	if l.name == "exec" && len(args) == 1 {
		r.streams = to
		return 0, r.assign(l.sets, false)
	}
	defer closeAll(opened)
	switch {
	case len(args) == 0 || l.name == "export":
		return 0, r.assign(l.sets, l.name == "export")
	case l.name == "exec":
		args, last = args[1:], true
	case l.name != "":
		return 0, r.builtin(l, args[1:])
	case among(builtins, args[0]):
		return 0, &fault{l.words[0].pos, args[0] + " is not supported as the result of an expansion"}
	case among(foreign, args[0]):
		return 0, notOurs(args[0], l.words[0].pos)
	}
	vars := r.vars
	if len(l.sets) > 0 {
		if vars, err = r.with(l.sets); err != nil {
			return 0, err
		}
	}
	p := external{runner: r, line: l, argv: args, vars: vars, streams: to}
	if last {
		return p.become(), nil
	}
	return p.wait(), nil
}

// assign makes the assignments, each seen by the next.
func (r *runner) assign(sets []set, export bool) error {
	for _, s := range sets {
		if s.value != nil {
			value, err := r.value(s.value.parts)
			if err != nil {
				return err
			}
			r.vars.assign(s.name, value)
		}
		if export {
			r.vars.at(s.name).exported = true
		}
	}
	return nil
}

// with returns the variables as one command has them.
func (r *runner) with(sets []set) (vars variables, err error) {
	outer := r.vars
	r.vars, r.under = append(variables(nil), outer...), &outer
	err = r.assign(sets, true)
	vars, r.vars, r.under = r.vars, outer, nil
	return vars, err
}

// redirect returns the streams as one command has them, and what had to be
// opened for that.
func (r *runner) redirect(files []redirect) (to streams, opened []int, err error) {
	to = r.streams
	defer func() {
		if err != nil {
			closeAll(opened)
		}
	}()
	for _, f := range files {
		if f.file == nil {
			source := closed
			if f.from != closed {
				if source = to[f.from]; source == closed {
					return to, opened, &fault{f.pos, "descriptor " + itoa(f.from) + " is not open"}
				}
			}
			to[f.fd] = source // which may be itself, as in 2>&2
			continue
		}
		name, err := r.value(f.file.parts)
		if err != nil {
			return to, opened, err
		}
		fd, err := open(name, f.flags)
		if err != nil {
			return to, opened, &fault{f.pos, "unable to open " + name + ": " + applet.Reason(err)}
		}
		opened = append(opened, fd)
		to[f.fd] = fd
	}
	return to, opened, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// builtin executes a command that changes the process of the script itself.
func (r *runner) builtin(l line, args []string) error {
	where := l.words[0].pos
	if wrong := misuse(l.name, args); wrong != "" {
		return &fault{where, wrong}
	}
	switch l.name {
	case "cd":
		if err := r.cd(args[0]); err != nil {
			return &fault{where, "unable to chdir to " + args[0] + ": " + applet.Reason(err)}
		}
	case "umask":
		m, _ := mask(args[0])
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

// cd changes the directory as dash does, by names: .. is the directory that
// led to a link, not where the link leads to. CDPATH is not looked at.
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
	oldpwd := r.vars.at("OLDPWD")
	oldpwd.assign(old)
	oldpwd.exported = true
	r.moved(dir)
	return nil
}

// killed is the exit code that a shell has for a process that a signal ended.
func killed(sig syscall.Signal) int { return 128 + int(sig) }
