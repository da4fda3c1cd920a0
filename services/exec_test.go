package services

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"svinit/reaper/procattr"
	"svinit/services/spec"
)

func TestEnvironment(t *testing.T) {
	inherited := []string{"PATH=/bin", "HOME=/root", "A=1", "A=2", "odd", "USER=root", "LOGNAME=root"}
	web := &spec.User{UID: 33, GID: 33, Name: "web", Home: "/var/www", Shell: "/bin/sh"}
	set := func(name, value string) spec.Variable { return spec.Variable{Name: name, Value: value} }
	for _, c := range []struct {
		x    spec.Exec
		want string
	}{
		{spec.Exec{}, "PATH=/bin HOME=/root A=1 A=2 odd USER=root LOGNAME=root"},
		{spec.Exec{ClearEnv: true}, ""},
		{spec.Exec{Env: []spec.Variable{set("A", "3"), set("B", "4=5")}}, "PATH=/bin HOME=/root odd USER=root LOGNAME=root A=3 B=4=5"},
		{spec.Exec{Env: []spec.Variable{{Name: "A", Unset: true}, {Name: "HOME", Unset: true}, {Name: "X", Unset: true}}}, "PATH=/bin odd USER=root LOGNAME=root"},
		{spec.Exec{User: web}, "PATH=/bin A=1 A=2 odd HOME=/var/www USER=web LOGNAME=web SHELL=/bin/sh"},
		{spec.Exec{User: &spec.User{UID: 1, GID: 1, Home: "/", Shell: "/bin/sh"}}, "PATH=/bin A=1 A=2 odd HOME=/ SHELL=/bin/sh"},
		{spec.Exec{User: web, ClearEnv: true, Env: []spec.Variable{set("HOME", "/x"), set("Z", "1"), set("Z", "2")}}, "USER=web LOGNAME=web SHELL=/bin/sh HOME=/x Z=2"},
	} {
		given := slices.Clone(inherited)
		got := environment(given, &c.x)
		if strings.Join(got, " ") != c.want || got == nil {
			t.Errorf("%+v: %q, want %q", c.x, got, c.want)
		}
		if !slices.Equal(given, inherited) {
			t.Errorf("%+v changes what was given", c.x)
		}
	}
}

// What a service directory says becomes what the process gets; a limit above the
// hard one is that, and is said.
func TestChange(t *testing.T) {
	var own unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &own); err != nil || own.Max == math.MaxUint64 {
		t.Skip("no hard limit of open files", err)
	}
	l := &launch{spec: spec.Spec{Dir: "/web", Exec: &spec.Exec{Limits: []spec.Limit{
		{Name: "open-files", Line: 1, Resource: unix.RLIMIT_NOFILE, Value: 5},
		{Name: "openfiles", Line: 2, Resource: unix.RLIMIT_NOFILE, Value: own.Max + 1},
		{Name: "open-files", Line: 7, Resource: unix.RLIMIT_NOFILE, Value: spec.NoLimit},
	}}}}
	attr := &syscall.ProcAttr{Sys: &syscall.SysProcAttr{}}
	extra := l.change(attr)
	want := []procattr.Limit{{Resource: unix.RLIMIT_NOFILE, Soft: 5, Max: own.Max}, {Resource: unix.RLIMIT_NOFILE, Soft: own.Max, Max: own.Max}, {Resource: unix.RLIMIT_NOFILE, Soft: own.Max, Max: own.Max}}
	if !slices.Equal(extra.Limits, want) || attr.Sys.Credential != nil {
		t.Errorf("%+v, want %+v", extra.Limits, want)
	}
	lowered := fmt.Sprintf("openfiles %d is above the hard limit, %d, which the service gets: raise that of the container (docker run --ulimit)", own.Max+1, own.Max)
	if len(l.unset) != 1 || l.unset[0].Object() != "/web/limits:2" || l.unset[0].Err.Error() != lowered {
		t.Errorf("%+v", l.unset)
	}
	extra.Refused(&procattr.Error{Step: procattr.Limits, Index: 2, Errno: unix.EPERM})
	if len(l.unset) != 2 || l.unset[1].Object() != "/web/limits:7" || !errors.Is(l.unset[1].Err, unix.EPERM) {
		t.Errorf("%+v", l.unset)
	}
	l = &launch{spec: spec.Spec{Exec: &spec.Exec{User: &spec.User{UID: 33, GID: 34, Groups: []uint32{34, 4}}}}}
	if extra := l.change(attr); extra != nil || attr.Sys.Credential == nil || attr.Sys.Credential.Uid != 33 || attr.Sys.Credential.Gid != 34 {
		t.Errorf("%+v, %+v", extra, attr.Sys.Credential)
	}
}

// A process can run a service as itself without the right to change the user.
func TestCredential(t *testing.T) {
	if credential(nil) != nil {
		t.Error("a change without a user")
	}
	self := &spec.User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), Groups: []uint32{uint32(os.Getegid())}}
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	for _, gid := range groups {
		self.Groups = append(self.Groups, uint32(gid))
	}
	if c := credential(self); c != nil {
		t.Errorf("as itself: %+v", c)
	}
	for what, change := range map[string]func(*spec.User){
		"a group that this process does not have": func(u *spec.User) { u.Groups = append(slices.Clone(u.Groups), 987654) },
		"another user":  func(u *spec.User) { u.UID++ },
		"another group": func(u *spec.User) { u.GID++ },
	} {
		other := *self
		change(&other)
		if credential(&other) == nil {
			t.Errorf("with %s: no change", what)
		}
	}
}

// Each step that fails names its file, the reason and the remedy.
func TestExplainExec(t *testing.T) {
	all := ^uint64(0)
	x := &spec.Exec{User: &spec.User{UID: 33, Name: "web"}, Dir: "/data", Capabilities: &all, Nice: new(int), OOMScoreAdj: new(int)}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&procattr.Error{Step: procattr.Identity, Errno: unix.EPERM}, "/web/user: svinit needs CAP_SETUID and CAP_SETGID to change to user web, which root has by default: operation not permitted"},
		{&procattr.Error{Step: procattr.Identity, Errno: unix.EINVAL}, "/web/user: the user namespace of svinit has no user web, or not its groups: invalid argument"},
		{&procattr.Error{Step: procattr.Dir, Errno: unix.EACCES}, "/web/working-directory:1: unable to enter /data as user web: permission denied"},
		{&procattr.Error{Step: procattr.NoNewPrivs, Errno: unix.EINVAL}, "/web/no-new-privs: invalid argument"},
		{unix.EACCES, "/web/run: user web may not execute it: chmod a+rx it and its directory: permission denied"},
		{unix.ENOENT, "<nil>"},
	} {
		if got := fmt.Sprint(explainExec(x, "/web", "/web/run", c.err)); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
	got := explainExec(x, "/web", "/web/run", &procattr.Error{Step: procattr.Capabilities, Errno: unix.EPERM}).Error()
	if !strings.HasPrefix(got, "/web/capabilities: svinit ") || !strings.HasSuffix(got, "operation not permitted") {
		t.Error(got)
	}
	for step, want := range map[procattr.Step]string{procattr.Nice: "CAP_SYS_NICE", procattr.OOMScoreAdj: "CAP_SYS_RESOURCE", procattr.Limits: "permission denied"} {
		if got := refusal(x, &procattr.Error{Step: step, Errno: unix.EACCES}).Error(); !strings.Contains(got, want) {
			t.Errorf("%d: %s", step, got)
		}
	}
}
