package spec

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"svinit/services/signame"
)

// Stop is how a service is stopped, reloaded and killed.
type Stop struct {
	Signal    syscall.Signal // down-signal; 0 for the default
	Reload    syscall.Signal // reload-signal; 0 for the default
	KillAfter time.Duration  // timeout-kill: from the stop signal to KILL; 0 for never
	KillGroup bool           // flag-timeout-killpg: KILL goes to the process group
	Group     bool           // flag-stop-group: the stop signal goes to the process group
}

// StopSignal returns the signal that stops the service: TERM by default.
func (s Stop) StopSignal() syscall.Signal {
	if s.Signal == 0 {
		return syscall.SIGTERM
	}
	return s.Signal
}

// ReloadSignal returns the signal that has the service read its configuration
// again: HUP by default.
func (s Stop) ReloadSignal() syscall.Signal {
	if s.Reload == 0 {
		return syscall.SIGHUP
	}
	return s.Reload
}

// Finish is what follows each exit of a service.
type Finish struct {
	Exists  bool
	Timeout time.Duration // timeout-finish: then finish is killed; 0 for never
	Runit   bool          // flag-runit-finish: its first argument is -1, not 256, after a signal
}

// finishTimeout is the default of timeout-finish, as in s6.
const finishTimeout = 5 * time.Second

// loadStop reads how the service is stopped. A setting that cannot be understood
// is as if it were not there.
func (r *reader) loadStop() (s Stop) {
	value(r, fileDownSignal, &s.Signal, parseSignal)
	value(r, fileReloadSignal, &s.Reload, parseSignal)
	value(r, fileTimeoutKill, &s.KillAfter, parseMilliseconds)
	s.KillGroup, s.Group = r.found.has(fileTimeoutKillpg), r.found.has(fileStopGroup)
	return s
}

// loadFinish reads what follows an exit.
func (r *reader) loadFinish() (f Finish) {
	f.Runit = r.found.has(fileRunitFinish)
	if r.found.has(fileFinish) {
		if f.Exists = isExecutable(r.dir, "finish"); !f.Exists {
			r.problem("run", "finish", errors.New("it is not executable: chmod +x it"))
		}
	}
	f.Timeout = finishTimeout
	value(r, fileTimeoutFinish, &f.Timeout, parseMilliseconds)
	if !f.Exists {
		return Finish{}
	}
	return f
}

// parseSignal understands what signame.Parse does.
func parseSignal(text string) (syscall.Signal, error) {
	sig, err := signame.Parse(text)
	if err != nil {
		return 0, errors.New(strconv.Quote(text) + " is not a signal, as TERM or 15 is")
	}
	return sig, nil
}

// parseMilliseconds understands a number of milliseconds, of a day at most.
func parseMilliseconds(text string) (time.Duration, error) {
	const day = 24 * 60 * 60 * 1000
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > day {
		return 0, errors.New(strconv.Quote(text) + " is not a number of milliseconds, as 5000 is, of a day at most")
	}
	return time.Duration(n) * time.Millisecond, nil
}

// reader reads the files of one service directory.
type reader struct {
	path     string // of the directory
	dir      int    // an open descriptor of it
	found    listing
	problems []Problem
}

// value reads a file that has one value into to, if it is there. White space
// around the value is not part of it. A value that cannot be understood is a
// problem and changes nothing.
func value[T any](r *reader, f file, to *T, parse func(string) (T, error)) {
	if !r.found.has(f) {
		return
	}
	content, err := ReadFile(filepath.Join(r.path, names[f]))
	switch {
	case errors.Is(err, syscall.ENOENT):
		return // a link that leads nowhere, or the file was just removed
	case err == nil:
		var v T
		if v, err = parse(strings.TrimSpace(string(content))); err == nil {
			*to = v
			return
		}
	case errors.Unwrap(err) != nil:
		err = errors.Unwrap(err) // the line names the file already
	}
	r.problem("use", names[f], err)
}

// problem notes something that does not prevent the start.
func (r *reader) problem(verb, name string, err error) {
	r.problems = append(r.problems, Problem{File: filepath.Join(r.path, name), Verb: verb, Err: err})
}
