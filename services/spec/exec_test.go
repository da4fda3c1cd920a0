package spec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func ptr[T any](v T) *T { return &v }

// loadWith reads a service directory with these files beside run. It returns the
// Exec, and the problems as lines with DIR for the directory; those that prevent a
// start begin with "fatal ".
func loadWith(t *testing.T, files map[string]string) (x Exec, lines []string) {
	t.Helper()
	all := map[string]string{"run": "#!"}
	for name, content := range files {
		all[name] = content
	}
	dir := lay(t, all)
	s, problems := Load(Source{Name: "web", Dir: dir})
	invalid := ""
	for _, p := range problems {
		line := fmt.Sprintf("%s %s: %v", p.Verb, p.Object(), p.Err)
		if p.Fatal {
			if invalid == "" {
				invalid = fmt.Sprintf("%s: %v", p.Object(), p.Err)
			}
			line = "fatal " + line
		}
		lines = append(lines, strings.ReplaceAll(line, dir, "DIR"))
	}
	if s.Exec == nil {
		return x, lines
	}
	x = *s.Exec
	if got := fmt.Sprint(x.Invalid); invalid == "" && x.Invalid != nil || invalid != "" && got != invalid {
		t.Errorf("%v: invalid: %s, want %s", files, got, invalid)
	}
	x.Invalid = nil
	x.Dir = strings.ReplaceAll(x.Dir, dir, "DIR")
	return x, lines
}

func TestExec(t *testing.T) {
	const net = uint64(1) << unix.CAP_NET_BIND_SERVICE
	for _, c := range []struct {
		name, content string
		want          Exec
		problem       string
	}{
		{"nice", "10", Exec{Nice: ptr(10)}, ""},
		{"nice", " -20\t\r\n\n", Exec{Nice: ptr(-20)}, ""},
		{"nice", "+19\n", Exec{Nice: ptr(19)}, ""},
		{"nice", "20", Exec{}, `use DIR/nice:1: "20" is not a number from -20 to 19: write one such as 10`},
		{"nice", "-21", Exec{}, `use DIR/nice:1: "-21" is not a number from -20 to 19: write one such as 10`},
		{"nice", "1e1", Exec{}, `use DIR/nice:1: "1e1" is not a number from -20 to 19: write one such as 10`},
		{"nice", "99999999999999999999", Exec{}, `use DIR/nice:1: "99999999999999999999" is not a number from -20 to 19: write one such as 10`},
		{"nice", "\n", Exec{}, "use DIR/nice: it is empty: write a value such as 10"},
		{"nice", "1\n2\n", Exec{}, "use DIR/nice: it has more than one line: write a value such as 10"},
		{"nice", strings.Repeat("x", 1000), Exec{}, `use DIR/nice:1: "` + strings.Repeat("x", 60) + `..." is not a number from -20 to 19: write one such as 10`},
		{"nice", strings.Repeat(" ", MaxFile+1), Exec{}, "use DIR/nice: larger than 64 KiB"},
		{"oom-score-adj", "1000\n", Exec{OOMScoreAdj: ptr(1000)}, ""},
		{"oom-score-adj", "-1000\n", Exec{OOMScoreAdj: ptr(-1000)}, ""},
		{"oom-score-adj", "1001", Exec{}, `use DIR/oom-score-adj:1: "1001" is not a number from -1000 to 1000: write one such as -500`},
		{"umask", "027\n", Exec{Umask: ptr(uint32(0o27))}, ""},
		{"umask", "0", Exec{Umask: ptr(uint32(0))}, ""},
		{"umask", "1777", Exec{}, `use DIR/umask:1: "1777" is not an octal number from 0 to 777: write one such as 027`},
		{"umask", "0o22", Exec{}, `use DIR/umask:1: "0o22" is not an octal number from 0 to 777: write one such as 027`},
		{"umask", "u=rwx", Exec{}, `use DIR/umask:1: "u=rwx" is not an octal number from 0 to 777: write one such as 027`},
		{"no-new-privs", "", Exec{NoNewPrivs: true}, ""},
		{"no-new-privs", "1 \n", Exec{NoNewPrivs: true}, ""},
		{"no-new-privs", "0\n", Exec{}, ""},
		{"no-new-privs", "off", Exec{}, `fatal use DIR/no-new-privs:1: "off" is neither 1 nor 0: leave the file empty, which means 1`},
		{"no-new-privs/x", "", Exec{}, "fatal use DIR/no-new-privs: not a regular file"},
		{"capabilities", "", Exec{Capabilities: ptr(uint64(0))}, ""},
		{"capabilities", "net_bind_service\n", Exec{Capabilities: ptr(net)}, ""},
		{"capabilities", "CAP_NET_BIND_SERVICE, Kill # both\n\n# none\n chown", Exec{Capabilities: ptr(net | 1<<unix.CAP_KILL | 1<<unix.CAP_CHOWN)}, ""},
		{"capabilities", "checkpoint_restore", Exec{Capabilities: ptr(uint64(1) << unix.CAP_LAST_CAP)}, ""},
		{"capabilities", "kill\nall", Exec{}, `fatal use DIR/capabilities:2: "all" is not a capability: write names such as net_bind_service, or leave the file empty for none`},
		{"capabilities/x", "", Exec{}, "fatal use DIR/capabilities: not a regular file"},
		{"working-directory", "/usr/ \n", Exec{Dir: "/usr/"}, ""},
		{"working-directory", ".", Exec{Dir: "DIR"}, ""},
		{"working-directory", "/nonexistent", Exec{Dir: "/nonexistent"}, "fatal use DIR/working-directory:1: /nonexistent does not exist: mkdir it, or write the path of a directory such as /var/lib/web"},
		{"working-directory", "run", Exec{Dir: "DIR/run"}, "fatal use DIR/working-directory:1: DIR/run is not a directory: write the path of one such as /var/lib/web"},
		{"working-directory", "", Exec{}, "fatal use DIR/working-directory: it is empty: write a value such as /var/lib/web"},
		{"limits", "open-files 4096\n", Exec{Limits: []Limit{{"open-files", 1, unix.RLIMIT_NOFILE, 4096}}}, ""},
		{"limits", "openfiles 1\nopen-files 2\ncpusecs =", Exec{Limits: []Limit{{"open-files", 2, unix.RLIMIT_NOFILE, 2}, {"cpusecs", 3, unix.RLIMIT_CPU, NoLimit}}}, ""},
		{"limits", "\n# comment\n\t mem-bytes\t1000000 \r\nstack-bytes 5", Exec{Limits: []Limit{{"mem-bytes", 3, unix.RLIMIT_DATA, 1000000}, {"stack-bytes", 4, unix.RLIMIT_STACK, 5}, {"mem-bytes", 3, unix.RLIMIT_MEMLOCK, 1000000}, {"mem-bytes", 3, unix.RLIMIT_AS, 1000000}}}, ""},
		{"limits", "core-bytes 0\nopen-files -1\n", Exec{Limits: []Limit{{"core-bytes", 1, unix.RLIMIT_CORE, 0}}}, `use DIR/limits:2: "-1" is neither a number nor =, the hard limit: write a line such as "open-files 4096"`},
		{"limits", "open-files 18446744073709551615", Exec{}, `use DIR/limits:1: "18446744073709551615" is neither a number nor =, the hard limit: write a line such as "open-files 4096"`},
		{"limits", "open-files", Exec{}, `use DIR/limits:1: a line has a word and a number: write one such as "open-files 4096"`},
		{"limits", "open-files 1 2", Exec{}, `use DIR/limits:1: a line has a word and a number: write one such as "open-files 4096"`},
		{"limits", "nofile 1", Exec{}, `use DIR/limits:1: "nofile" is not one of all-bytes, core-bytes, data-bytes, file-bytes, lock-bytes, mem-bytes, open-files, processes, resident-bytes, stack-bytes, cpu-secs: write a line such as "open-files 4096"`},
		{"limits/x", "", Exec{}, "use DIR/limits: not a regular file"},
		{"env-clear", "", Exec{ClearEnv: true}, ""},
		{"env-clear", " \n", Exec{ClearEnv: true}, ""},
		{"env-clear/x", "", Exec{ClearEnv: true}, "use DIR/env-clear: not a regular file: make it an empty file"},
		{"env", "A=1", Exec{}, "use DIR/env: it is not a directory: make it one, with a file for each variable such as env/PORT"},
		{"env/.hidden", "x", Exec{}, ""},
		{"env/A", "x \t\ny", Exec{Env: []Variable{{Name: "A", Value: "x"}}}, "use DIR/env/A:2: only the first line is the value: write a NUL in place of each line feed within it"},
		{"env/A", "\n \n", Exec{Env: []Variable{{Name: "A"}}}, ""},
		{"env/A", "", Exec{Env: []Variable{{Name: "A", Unset: true}}}, ""},
		{"env/A", "a\x00b\x00", Exec{Env: []Variable{{Name: "A", Value: "a\nb\n"}}}, ""},
		{"env-secrets", "", Exec{}, "fatal use DIR/env-secrets: it is not a directory: make it one, with a file for each variable such as env-secrets/PORT"},
		{"env-secrets/KEY", "", Exec{}, "fatal use DIR/env-secrets/KEY: it is empty: write a value such as /run/secrets/key"},
		{"env-secrets/KEY", "/nonexistent", Exec{}, "fatal use DIR/env-secrets/KEY:1: the secret /nonexistent does not exist: mount it there"},
		{"env-secrets/KEY", "/usr", Exec{}, "fatal use DIR/env-secrets/KEY:1: unable to read the secret /usr: not a regular file"},
		{"env-secrets/KEY", "run \n", Exec{Env: []Variable{{Name: "KEY", Value: "#!"}}}, ""},
		{"env-secrets/A=", "run", Exec{}, "fatal use DIR/env-secrets/A=: the name of a variable has no = in it: rename the file, as in env-secrets/PORT"},
		{"user", "root", Exec{User: &User{Groups: []uint32{0}, Name: "root", Home: "/root", Shell: "/bin/sh"}}, ""},
		{"user", "", Exec{}, "fatal use DIR/user: it is empty: write a value such as www-data, or www-data:www-data, or 33:33"},
		{"user/x", "", Exec{}, "fatal use DIR/user: not a regular file"},
	} {
		got, lines := loadWith(t, map[string]string{c.name: c.content})
		if got.User != nil { // these depend on the system
			got.User.Shell, got.User.Groups = c.want.User.Shell, c.want.User.Groups
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %q: %+v, want %+v", c.name, c.content, got, c.want)
		}
		if text := strings.Join(lines, "\n"); text != c.problem {
			t.Errorf("%s %q:\n%s\nwant\n%s", c.name, c.content, text, c.problem)
		}
	}
}

// FIFOs, links that lead nowhere and files that nobody can read are a problem each,
// and hang nothing.
func TestExecUnreadable(t *testing.T) {
	for name, fatal := range map[string]bool{
		"nice": false, "umask": false, "oom-score-adj": false, "limits": false, "env-clear": false, "env/A": false,
		"user": true, "no-new-privs": true, "capabilities": true, "working-directory": true, "env-secrets/A": true,
	} {
		for what, make := range map[string]func(path string) error{
			"a FIFO":    func(path string) error { return unix.Mkfifo(path, 0o600) },
			"dangling":  func(path string) error { return os.Symlink("nowhere", path) },
			"a loop":    func(path string) error { return os.Symlink(filepath.Base(path), path) },
			"very long": func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<30)) },
		} {
			dir := lay(t, map[string]string{"run": "#!"})
			path := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), make(path)); err != nil {
				t.Fatal(err)
			}
			s, problems := Load(Source{Name: "web", Dir: dir})
			if len(problems) != 1 || problems[0].File != path || problems[0].Fatal != fatal || (s.Exec.Invalid != nil) != fatal {
				t.Errorf("%s, %s: %+v", name, what, problems)
			}
		}
	}
}

func TestParseUser(t *testing.T) {
	passwd := []byte("root:x:0:0:root:/root:/bin/bash\nweb:x:33:34:Web:/var/www:\nodd:x:4294967295:1::/:\n12:x:77:78::/twelve:/bin/ksh\n")
	group := []byte("root:x:0:\nadm:x:4:web\nweb:x:34:web\ndata:x:50:\n99:x:60:\n")
	web := User{33, 34, []uint32{34, 4}, "web", "/var/www", "/bin/sh"}
	for s, want := range map[string]User{
		"root":     {0, 0, []uint32{0}, "root", "/root", "/bin/bash"},
		"web":      web,
		"33":       web,
		"web:web":  web,
		"33:34":    web,
		"web:data": {33, 50, []uint32{50, 4, 34}, "web", "/var/www", "/bin/sh"},
		"web:7":    {33, 7, []uint32{7, 4, 34}, "web", "/var/www", "/bin/sh"},
		"55:66":    {55, 66, []uint32{66}, "", "/", "/bin/sh"},
		"55:data":  {55, 50, []uint32{50}, "", "/", "/bin/sh"},
		"12":       {77, 78, []uint32{78}, "12", "/twelve", "/bin/ksh"}, // a name first
		"55:99":    {55, 60, []uint32{60}, "", "/", "/bin/sh"},
	} {
		got, err := parseUser(s, passwd, group)
		if err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: %+v, %v, want %+v", s, got, err, want)
		}
	}
	for s, want := range map[string]string{
		"nobody":       `there is no user "nobody" in /etc/passwd`,
		"":             `there is no user "" in /etc/passwd`,
		":1":           `there is no user "" in /etc/passwd`,
		"web:":         `there is no group "" in /etc/group`,
		"web:x":        `there is no group "x" in /etc/group`,
		"web:web:adm":  `there is no group "web:adm" in /etc/group`,
		"-1:1":         `there is no user "-1" in /etc/passwd`,
		"1:-1":         `there is no group "-1" in /etc/group`,
		"55":           "no account in /etc/passwd has the number 55, which therefore needs a group",
		"odd":          "4294967295 is no number of a user or group",
		"4294967295:1": "4294967295 is no number of a user or group",
		"1:4294967295": "4294967295 is no number of a user or group",
		"4294967296:1": `there is no user "4294967296" in /etc/passwd`,
		"web data":     `there is no user "web data" in /etc/passwd`,
	} {
		if got, err := parseUser(s, passwd, group); err == nil || err.Error() != want {
			t.Errorf("%s: %+v, %v, want %s", s, got, err, want)
		}
	}
}

// The variables of a service are bounded in number and size.
func TestEnvironmentBounds(t *testing.T) {
	many := make(map[string]string)
	for i := range maxVariables + 10 {
		many[fmt.Sprintf("env/V%05d", i)] = "x"
	}
	x, lines := loadWith(t, many)
	if len(x.Env) != maxVariables || len(lines) != 1 || lines[0] != "use DIR/env: it has more than 1000 files: remove some" {
		t.Errorf("%d variables, %q", len(x.Env), lines)
	}
	large := make(map[string]string)
	for i := range 20 {
		large[fmt.Sprintf("env/V%02d", i)] = strings.Repeat("x", MaxFile)
	}
	if x, lines := loadWith(t, large); len(x.Env) != 15 || len(lines) != 5 || lines[0] != "use DIR/env/V15: the variables of this service have more than 1 MiB in all: remove some" {
		t.Errorf("%d variables, %q", len(x.Env), lines)
	}
}

// A service that has none of these files costs no reading of any.
func TestNoExec(t *testing.T) {
	if s, _ := Load(Source{Name: "web", Dir: lay(t, map[string]string{"run": "#!", "envx/A": "1", "users": "x"})}); s.Exec != nil {
		t.Errorf("%+v", s.Exec)
	}
}

// The numbers of the capabilities are the kernel's.
func TestCapabilityNames(t *testing.T) {
	if len(capabilities) != unix.CAP_LAST_CAP+1 {
		t.Errorf("%d capabilities, want %d", len(capabilities), unix.CAP_LAST_CAP+1)
	}
	for name, n := range map[string]int{"chown": unix.CAP_CHOWN, "setpcap": unix.CAP_SETPCAP, "net_bind_service": unix.CAP_NET_BIND_SERVICE, "sys_ptrace": unix.CAP_SYS_PTRACE, "mknod": unix.CAP_MKNOD, "setfcap": unix.CAP_SETFCAP, "syslog": unix.CAP_SYSLOG, "perfmon": unix.CAP_PERFMON, "bpf": unix.CAP_BPF} {
		if got := findCapability(name); got != n {
			t.Errorf("%s: %d, want %d", name, got, n)
		}
	}
	if got := CapabilityNames(1<<unix.CAP_KILL | 1<<unix.CAP_BPF); got != "kill bpf" {
		t.Errorf("%q", got)
	}
}

func FuzzLimits(f *testing.F) {
	f.Add("open-files 4096\n")
	f.Add("# x\n\ncpu-secs =\nmembytes 0")
	f.Fuzz(func(t *testing.T, content string) {
		_, lines := loadWith(t, map[string]string{"limits": content})
		if len(lines) > maxLimitLines+1 {
			t.Errorf("%d problems", len(lines))
		}
	})
}
