package script

import (
	"errors"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/services/program"
)

func itoa(n int) string { return strconv.Itoa(n) }

// external is a command that is another program.
type external struct {
	*runner
	line
	argv    []string
	vars    variables
	streams streams
}

// become puts the program into the place of the process. It returns, with an
// exit code, only when that is impossible, and has said why.
func (p *external) become() int {
	if err := p.streams.install(); err != nil {
		return p.fail(err)
	}
	for fd := range p.streams { // from now on; fail says it there
		if p.streams[fd] != closed {
			p.streams[fd] = fd
		}
	}
	return p.fail(p.search(func(path string, argv, env []string) error { return syscall.Exec(path, argv, env) }))
}

// wait starts the program, waits for it and returns its exit code.
func (p *external) wait() int {
	pid := 0
	err := p.search(func(path string, argv, env []string) (err error) {
		pid, err = syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: env, Files: p.streams.child()})
		return err
	})
	if err != nil {
		return p.fail(err)
	}
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, 0, nil)
		if err == nil {
			break
		}
		if err != syscall.EINTR {
			return p.fail(err)
		}
	}
	if status.Signaled() {
		p.say(p.runner.streams, &fault{p.pos, p.argv[0] + " was killed by " + unix.SignalName(status.Signal())})
		return killed(status.Signal())
	}
	return status.ExitStatus()
}

// search tries to start the program wherever it may be, as execvp(3) does: it
// goes on where something cannot be executed, and a file that is no program is
// a script of sh's. What is nowhere may be a tool of ours. The error is that
// of the last try that says more than that there is no such file.
func (p *external) search(start func(path string, argv, env []string) error) error {
	name, env := p.argv[0], p.vars.environ()
	reason := program.ErrNotFound
	for _, path := range candidates(name, p.vars) {
		err := start(path, p.argv, env)
		if err == syscall.ENOEXEC {
			// Without a shell it stays a file that is no program.
			if sh := start("/bin/sh", program.ScriptArgv(path, p.argv), env); !absent(sh) {
				err = sh
			}
		}
		if err == nil {
			return nil
		}
		if !absent(err) || reason == program.ErrNotFound {
			reason = explained{err, program.ExplainExec(path, err)}
		}
	}
	if reason != program.ErrNotFound || !p.tool(name) {
		return reason
	}
	// Without /proc the first line of the script says where we are.
	err := start("/proc/self/exe", p.argv, env)
	if absent(err) && p.self != "" {
		err = start(p.self, p.argv, env)
	}
	if err != nil {
		return explained{err, errors.New("unable to start this tool of ours: " + err.Error())}
	}
	return nil
}

// explained is an error of execve with what it comes from.
type explained struct{ err, why error }

func (e explained) Error() string { return e.why.Error() }
func (e explained) Unwrap() error { return e.err }

// absent says of an error of execve that the file is not there.
func absent(err error) bool { return err == syscall.ENOENT || err == syscall.ENOTDIR }

// candidates returns the paths at which a program is looked for: a name with a
// slash is a path; for any other, those of PATH that exist. Unlike execvp(3),
// dash has no default for PATH when it is not set.
func candidates(name string, vars variables) (paths []string) {
	if strings.Contains(name, "/") {
		return []string{name}
	}
	list, ok := vars.get("PATH")
	if name == "" || !ok {
		return nil
	}
	for _, file := range program.Candidates(name, list) {
		if unix.Faccessat(unix.AT_FDCWD, file, unix.F_OK, 0) == nil {
			paths = append(paths, file)
		}
	}
	return paths
}

// fail says why the program could not be started, to its own standard error,
// and returns the exit code for it, as in dash.
func (p *external) fail(err error) int {
	where := p.pos
	if len(p.words) > 0 {
		where = p.words[0].pos
	}
	p.say(p.streams, &fault{where, "unable to execute " + p.argv[0] + ": " + err.Error()})
	for _, gone := range []error{program.ErrNotFound, syscall.ENOENT, syscall.ENOTDIR, syscall.ELOOP, syscall.ENAMETOOLONG} {
		if errors.Is(err, gone) {
			return notFound
		}
	}
	return cannot
}
