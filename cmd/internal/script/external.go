package script

import (
	"errors"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/services/program"
	"svinit/services/signame"
)

func itoa(n int) string { return strconv.Itoa(n) }

// An external is a command that is not a builtin, ready to be started.
type external struct {
	*runner
	command
	argv []string
	vars variables
	fds  fdTable
}

// exec replaces the process by the program. It returns, with an exit code, only
// if that fails, after it has reported the error.
func (p *external) exec() int {
	if err := p.fds.install(); err != nil {
		return p.fail(err)
	}
	for fd := range p.fds { // so that fail reports to the new standard error
		if p.fds[fd] != closed {
			p.fds[fd] = fd
		}
	}
	return p.fail(p.search(func(path string, argv, env []string) error { return program.Exec(path, argv, env) }))
}

// forkAndWait starts the program, waits for it and returns its exit code.
func (p *external) forkAndWait() int {
	pid := 0
	err := p.search(func(path string, argv, env []string) (err error) {
		pid, err = program.ForkExec(path, argv, &syscall.ProcAttr{Env: env, Files: p.fds.procAttrFiles()})
		return err
	})
	if err != nil {
		return p.fail(err)
	}
	status, err := program.Wait(pid)
	if err != nil {
		return p.fail(err)
	}
	if status.Signaled() {
		p.report(p.runner.fds, &scriptError{p.pos, p.argv[0] + " was killed by " + signame.Full(status.Signal())})
	}
	return program.ExitCode(status)
}

// search tries to start the program at each place in PATH, as execvp(3) does: it
// continues where a file cannot be executed, and passes a file without a known
// format (ENOEXEC) to /bin/sh. If nothing is found it tries a tool of svinit.
// The error is that of the last attempt that found a file, if any did.
func (p *external) search(start func(path string, argv, env []string) error) error {
	name, env := p.argv[0], p.vars.environ()
	reason := program.ErrNotFound
	for _, path := range candidates(name, p.vars) {
		err := start(path, p.argv, env)
		if err == syscall.ENOEXEC {
			// Without a shell the error stays ENOEXEC.
			if sh := start("/bin/sh", program.ScriptArgv(path, p.argv), env); !isNotExist(sh) {
				err = sh
			}
		}
		if err == nil {
			return nil
		}
		if !isNotExist(err) || reason == program.ErrNotFound {
			reason = explainedError{err, program.ExplainExec(path, err)}
		}
	}
	if reason != program.ErrNotFound || !p.hasTool(name) {
		return reason
	}
	// Without /proc, use our path in the first line of the script.
	err := start("/proc/self/exe", p.argv, env)
	if isNotExist(err) && p.self != "" {
		err = start(p.self, p.argv, env)
	}
	if err != nil {
		return explainedError{err, errors.New("unable to start this tool of svinit: " + err.Error())}
	}
	return nil
}

// explainedError is an error of execve with its explanation.
type explainedError struct{ err, reason error }

func (e explainedError) Error() string { return e.reason.Error() }
func (e explainedError) Unwrap() error { return e.err }

// isNotExist reports whether an error of execve means that the file does not exist.
func isNotExist(err error) bool { return err == syscall.ENOENT || err == syscall.ENOTDIR }

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

// fail reports why the program could not be started, to the program's standard
// error, and returns dash's exit code for it.
func (p *external) fail(err error) int {
	where := p.pos
	if len(p.words) > 0 {
		where = p.words[0].pos
	}
	p.report(p.fds, &scriptError{where, "unable to execute " + p.argv[0] + ": " + err.Error()})
	for _, notFound := range []error{program.ErrNotFound, syscall.ENOENT, syscall.ENOTDIR, syscall.ELOOP, syscall.ENAMETOOLONG} {
		if errors.Is(err, notFound) {
			return program.ExitNotFound
		}
	}
	return program.ExitNotExecutable
}
