package services

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/reaper/procattr"
	"svinit/services/spec"
)

// change changes attr to what the service directory says of environment and user,
// and returns what is beyond it.
func (l *launch) change(attr *syscall.ProcAttr) *procattr.Extra {
	x := l.spec.Exec
	attr.Env = environment(attr.Env, x)
	attr.Sys.Credential = credential(x.User)
	var limits []spec.Limit // of extra.Limits
	extra := &procattr.Extra{
		Umask: x.Umask, Nice: x.Nice, OOMScoreAdj: x.OOMScoreAdj, NoNewPrivs: x.NoNewPrivs, Capabilities: x.Capabilities, Dir: x.Dir,
		Refused: func(e *procattr.Error) {
			if e.Step == procattr.Limits {
				l.lacks("limits", limits[e.Index].Line, e)
				return
			}
			l.lacks(stepFile[e.Step], 0, refusal(x, e))
		},
	}
	for _, limit := range x.Limits {
		var own unix.Rlimit
		if err := unix.Prlimit(0, limit.Resource, nil, &own); err != nil {
			l.lacks("limits", limit.Line, err)
			continue
		}
		if limit.Value > own.Max && limit.Value != spec.NoLimit {
			l.lacks("limits", limit.Line, fmt.Errorf("%s %d is above the hard limit, %d, which the service gets: raise that of the container (docker run --ulimit)", limit.Name, limit.Value, own.Max))
		}
		limits = append(limits, limit)
		extra.Limits = append(extra.Limits, procattr.Limit{Resource: limit.Resource, Soft: min(limit.Value, own.Max), Max: own.Max})
	}
	if extra.Umask == nil && extra.Nice == nil && extra.OOMScoreAdj == nil && !extra.NoNewPrivs && extra.Capabilities == nil && extra.Dir == "" && extra.Limits == nil {
		return nil
	}
	return extra
}

// lacks notes what the process runs without.
func (l *launch) lacks(file string, line int, err error) {
	p := spec.Problem{File: l.spec.Dir + "/" + file, Line: line, Verb: "apply", Err: err}
	// A line of limits can be about several resources.
	if n := len(l.unset); n == 0 || l.unset[n-1].Object() != p.Object() {
		l.unset = append(l.unset, p)
	}
}

// warnUnset reports what a process runs without, each once as long as it lasts.
func (o *owner) warnUnset(unset []spec.Problem) {
	maps.DeleteFunc(o.warned, func(t task, _ string) bool {
		return t.verb == "apply" && !slices.ContainsFunc(unset, func(p spec.Problem) bool { return p.Object() == t.object })
	})
	for _, p := range unset {
		o.warn(p.Verb, p.Object(), p.Err)
	}
}

// absolute returns the path of the program and its arguments, which are absolute
// where the working directory is not that of the service.
func (l *launch) absolute() (path string, args []string) {
	if l.spec.Exec.Dir == "" {
		return l.path, l.args
	}
	path = filepath.Join(l.spec.Dir, l.path)
	return path, append([]string{path}, l.args[1:]...)
}

// environment returns the environment of a service: the one that it inherits, what
// a login sets for its user, and its own variables. Later ones replace earlier ones.
func environment(inherited []string, x *spec.Exec) []string {
	var vars []spec.Variable
	if u := x.User; u != nil {
		unknown := u.Name == "" // then the name of another user must not stay
		vars = []spec.Variable{{Name: "HOME", Value: u.Home}, {Name: "USER", Value: u.Name, Unset: unknown}, {Name: "LOGNAME", Value: u.Name, Unset: unknown}, {Name: "SHELL", Value: u.Shell}}
	}
	vars = append(vars, x.Env...)
	if x.ClearEnv {
		inherited = []string{}
	} else if inherited == nil {
		inherited = os.Environ()
	}
	if len(vars) == 0 {
		return inherited
	}
	last := make(map[string]int, len(vars))
	for i, v := range vars {
		last[v.Name] = i
	}
	env := make([]string, 0, len(inherited)+len(vars))
	for _, s := range inherited {
		name, _, _ := strings.Cut(s, "=")
		if _, replaced := last[name]; !replaced {
			env = append(env, s)
		}
	}
	for i, v := range vars {
		if last[v.Name] == i && !v.Unset {
			env = append(env, v.Name+"="+v.Value)
		}
	}
	return env
}

// credential returns the user that a process is changed to, nil for no change: who
// has no right to change the user can run a service as the one that it is already.
func credential(u *spec.User) *syscall.Credential {
	if u == nil || isSelf(u) {
		return nil
	}
	return &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
}

// isSelf reports whether u is the user of this process. Groups beyond those of u,
// such as Kubernetes gives to a container, are given up by root alone.
func isSelf(u *spec.User) bool {
	uid, gid := os.Geteuid(), os.Getegid()
	if uint32(uid) != u.UID || os.Getuid() != uid || uint32(gid) != u.GID || os.Getgid() != gid {
		return false
	}
	groups, err := os.Getgroups()
	if err != nil {
		return false
	}
	own := append(groups, gid)
	lacks := slices.ContainsFunc(u.Groups, func(gid uint32) bool { return !slices.Contains(own, int(gid)) })
	more := slices.ContainsFunc(own, func(gid int) bool { return !slices.Contains(u.Groups, uint32(gid)) })
	return !lacks && (!more || uid != 0)
}

// stepFile has the file that a step of a start comes from.
var stepFile = [...]string{
	procattr.Umask: "umask", procattr.Nice: "nice", procattr.OOMScoreAdj: "oom-score-adj", procattr.Limits: "limits",
	procattr.Capabilities: "capabilities", procattr.Identity: "user", procattr.NoNewPrivs: "no-new-privs", procattr.Dir: "working-directory",
}

// refusal says why a process runs without a setting.
func refusal(x *spec.Exec, e *procattr.Error) error {
	switch e.Step {
	case procattr.Nice:
		return fmt.Errorf("%d: %w: a negative value needs CAP_SYS_NICE (docker run --cap-add SYS_NICE)", *x.Nice, e)
	case procattr.OOMScoreAdj:
		return fmt.Errorf("%d: %w: it needs /proc, and CAP_SYS_RESOURCE where it is lower than that of svinit (docker run --cap-add SYS_RESOURCE)", *x.OOMScoreAdj, e)
	}
	return e
}

// explainExec says why a process with these settings could not execute path; nil
// where it is not because of them.
func explainExec(x *spec.Exec, dir, path string, err error) error {
	var e *procattr.Error
	if !errors.As(err, &e) {
		if x.User != nil && errors.Is(err, syscall.EACCES) {
			return fmt.Errorf("%s: user %s may not execute it: chmod a+rx it and its directory: %w", path, userName(x.User), err)
		}
		return nil
	}
	file := dir + "/" + stepFile[e.Step]
	switch {
	case e.Step == procattr.Identity && e.Errno == syscall.EINVAL:
		return fmt.Errorf("%s: the user namespace of svinit has no user %s, or not its groups: %w", file, userName(x.User), err)
	case e.Step == procattr.Identity:
		return fmt.Errorf("%s: svinit needs CAP_SETUID and CAP_SETGID to change to user %s, which root has by default: %w", file, userName(x.User), err)
	case e.Step == procattr.Dir:
		return fmt.Errorf("%s:1: unable to enter %s as user %s: %w", file, x.Dir, userName(x.User), err)
	case e.Step == procattr.Capabilities:
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var own [2]unix.CapUserData
		if unix.Capget(&header, &own[0]) == nil {
			has := uint64(own[1].Permitted)<<32 | uint64(own[0].Permitted)
			if missing := *x.Capabilities &^ has; missing != 0 {
				return fmt.Errorf("%s: svinit itself does not have %s: docker run --cap-add gives it: %w", file, spec.CapabilityNames(missing), err)
			}
		}
		return fmt.Errorf("%s: svinit needs CAP_SETPCAP to remove others (docker run --cap-add SETPCAP): %w", file, err)
	}
	return fmt.Errorf("%s: %w", file, err)
}

// userName returns what a user is called in a message.
func userName(u *spec.User) string {
	switch {
	case u == nil:
		return fmt.Sprint(os.Geteuid())
	case u.Name == "":
		return fmt.Sprint(u.UID)
	}
	return u.Name
}
