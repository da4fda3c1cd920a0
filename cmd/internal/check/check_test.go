package check

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"svinit/cmd/internal/applet"
)

// A tree is files of a directory: path → content. What begins with "#!" is
// executable; "-> TARGET" is a link; a path that ends with a slash is a
// directory.
type tree map[string]string

func (files tree) lay(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		target, isLink := strings.CutPrefix(content, "-> ")
		mode := os.FileMode(0o644)
		if strings.HasPrefix(content, "#!") || strings.HasPrefix(content, "\x7fELF") || strings.HasPrefix(content, "+x ") {
			mode = 0o755
		}
		switch {
		case err != nil:
		case isLink:
			err = os.Symlink(target, path)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o755)
		default:
			err = os.WriteFile(path, []byte(strings.TrimPrefix(content, "+x ")), mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// check returns what is printed about a tree, with DIR for its path, and the
// exit code.
func check(t *testing.T, files tree) (out string, code int) {
	t.Helper()
	dir := files.lay(t)
	out, code = checkArgs(t, nil, dir)
	return strings.ReplaceAll(out, dir, "DIR"), code
}

func checkArgs(t *testing.T, env map[string]string, args ...string) (out string, code int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	done := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		done <- string(b)
	}()
	getenv := func(name string) string {
		if name == "PATH" {
			return "/usr/bin:/bin"
		}
		return env[name]
	}
	code = Check.Main(&applet.Env{Name: "svinit: check", Args: args, Stdout: w, Stderr: w, Getenv: getenv})
	w.Close()
	return <-done, code
}

const sh = "#!/bin/sh\n"

func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name  string
		files tree
		want  string // lines, with DIR for the scan directory
	}{
		{"clean", tree{"web/run": sh + "exec sleep 1000\n", "web/finish": sh, "web/log/run": sh + "exec cat\n", "web/log/notes": ""}, ""},
		{"an empty scan directory", tree{}, ""},
		{"names with a dot", tree{".git/x": "", ".keep": ""}, ""},
		{"no run", tree{"web/down": ""}, "DIR/web/run: error: it does not exist: put an executable there"},
		{"not executable", tree{"web/run": "x"}, "DIR/web/run: error: it is not executable: chmod +x it"},
		{"a directory as run", tree{"web/run/x": ""}, "DIR/web/run: error: it is a directory: put an executable there"},
		{"a file", tree{"web": "x"}, "DIR/web: error: not a directory"},
		{"a dangling link", tree{"web": "-> /nonexistent/x"}, "DIR/web: error: it is a link to /nonexistent/x, which does not exist"},
		{"a link to itself", tree{"web": "-> web"}, "DIR/web: error: it is a link that leads back to itself"},
		{"a dangling run", tree{"web/run": "-> /nonexistent/run"}, "DIR/web/run: error: it is a link to /nonexistent/run, which does not exist"},
		{"a dangling log", tree{"web/run": sh + "exec x\n", "web/log": "-> gone"}, "DIR/web/log: error: it is a link to gone, which does not exist"},
		{"a link to a service", tree{"web": "-> .there", ".there/run": sh + "x &\n"}, "DIR/web/run:2: error: " + textBackground},

		{"no first line", tree{"web/run": "+x exec sleep\n"}, "DIR/web/run: error: it has no #! in its first line and is no program: begin it with #!/bin/sh"},
		{"empty", tree{"web/run": "+x "}, "DIR/web/run: error: it has no #! in its first line and is no program: begin it with #!/bin/sh"},
		{"CR LF", tree{"web/run": "#!/bin/sh\r\nexec sleep\r\n"}, "DIR/web/run: error: it ends its first line with CR LF, as Windows does: save it with LF alone"},
		{"CR LF later", tree{"web/run": "#!/bin/sh\n\nexec sleep 5\r\n"}, "DIR/web/run:3: error: the line ends with CR LF, as Windows does: save the file with LF alone"},
		{"byte order mark", tree{"web/run": "+x \xef\xbb\xbf#!/bin/sh\n"}, "DIR/web/run: error: it begins with a byte order mark, before its #!: save it as UTF-8 without one"},
		{"no interpreter", tree{"web/run": "#!\n"}, "DIR/web/run: error: it has no interpreter after the #! of its first line"},
		{"missing interpreter", tree{"web/run": "#!/nonexistent/bash -e\n"}, "DIR/web/run: error: its interpreter /nonexistent/bash does not exist"},
		{"interpreter behind env", tree{"web/run": "#!/usr/bin/env nonexistent\n"}, "DIR/web/run: error: its interpreter nonexistent is in no directory of PATH"},
		{"options behind env", tree{"web/run": "#!/usr/bin/env sh -e\n"}, `DIR/web/run: error: the kernel gives env "sh -e" as one word: write env -S`},
		{"env -S", tree{"web/run": "#!/usr/bin/env -S A=b sh -e\nexec x\n"}, ""},
		{"finish, check, control", tree{"web/run": sh + "exec x\n", "web/finish": "#!/nonexistent/a\n", "web/check": "#!/nonexistent/b\n", "web/control/t": "#!/nonexistent/c\n"},
			"DIR/web/check: error: its interpreter /nonexistent/b does not exist\n" +
				"DIR/web/check: warning: this version of svinit does not act on it (only sv(8) runs it, as runit's does)\n" +
				"DIR/web/control/t: error: its interpreter /nonexistent/c does not exist\n" +
				"DIR/web/finish: error: its interpreter /nonexistent/a does not exist"},
		{"finish is not executable", tree{"web/run": sh + "exec x\n", "web/finish": "x"}, "DIR/web/finish: error: it is not executable: chmod +x it"},
		{"logger", tree{"web/run": sh + "exec x\n", "web/log/run": sh + "multilog t ./main\n"},
			"DIR/web/log/run:2: warning: multilog is started without exec, so signals reach the shell and not it: put exec before it"},
		{"logger that is a file", tree{"web/run": sh + "exec x\n", "web/log": "x"}, "DIR/web/log: error: not a directory: a logger is the executable log/run"},
		{"logger that is not executable", tree{"web/run": sh + "exec x\n", "web/log/run": "x"}, "DIR/web/log/run: error: it is not executable: chmod +x it"},

		{"settings", tree{"web/run": sh + "exec x\n", "web/down-signal": "STOPP", "web/timeout-kil": "5"},
			`DIR/web/down-signal: error: "STOPP" is not a signal, as TERM or 15 is` + "\n" +
				"DIR/web/timeout-kil: warning: it has no meaning: is timeout-kill meant?"},
		{"a secret that is mounted later", tree{"web/run": sh + "exec x\n", "web/env-secrets/PW": "/nonexistent/secret"}, "DIR/web/env-secrets/PW:1: warning: the secret /nonexistent/secret does not exist: mount it there"},
		{"a user that does not exist", tree{"web/run": sh + "x &\n", "web/user": "nosuchuser"},
			"DIR/web/run:2: error: " + textBackground + "\n" +
				`DIR/web/user:1: error: there is no user "nosuchuser" in /etc/passwd: write www-data, or www-data:www-data, or 33:33`},
		{"other supervisors", tree{"web/run": sh + "exec x\n", "web/lock-fd": "3"},
			"DIR/web/lock-fd: warning: this version of svinit does not act on it (a file of s6: put setlock into run instead)"},
		{"times", tree{"a/run": sh + "exec x\n", "a/timeout-kill": "8000", "b/run": sh + "exec x\n", "b/timeout-kill": "8001", "c/run": sh + "exec x\n", "c/timeout-kill": "4000", "c/finish": sh},
			"DIR/b/timeout-kill: warning: the stop may take 8.001s, which is more than SVINIT_STOP_TIMEOUT=8s: when the container stops, what still runs then is killed\n" +
				"DIR/c/timeout-kill: warning: the stop may take 4s, and then finish 5s, which is more than SVINIT_STOP_TIMEOUT=8s: when the container stops, what still runs then is killed"},
		{"oneshot", tree{"web/run": sh + "migrate\n", "web/type": "oneshot\n"}, "DIR/web/type: warning: this version of svinit does not act on it"},
	} {
		want := c.want
		code := 0
		if want != "" {
			want += "\n"
			code = exitWarnings
		}
		if strings.Contains(want, ": error: ") {
			code = exitErrors
		}
		if got, exit := check(t, c.files); got != want || exit != code {
			t.Errorf("%s: exit code %d, want %d\n%s\nwant\n%s", c.name, exit, code, got, want)
		}
	}
}

const textBackground = "the last command is put into the background, so the service ends at once: put exec before it, and remove the &"

func TestArguments(t *testing.T) {
	dir := tree{"web/run": sh + "exec x\n", "web/timeout-kill": "9000", "bad/run": sh + "x &\n"}.lay(t)
	times := dir + "/web/timeout-kill: warning: the stop may take 9s, which is more than SVINIT_STOP_TIMEOUT=8s: when the container stops, what still runs then is killed\n"
	ends := dir + "/bad/run:2: error: " + textBackground + "\n"
	for _, c := range []struct {
		env  map[string]string
		args []string
		want string
		code int
	}{
		{map[string]string{"SVINIT_SERVICE_DIR": dir}, nil, ends + times, 100},
		{nil, []string{dir + "/web"}, times, 1}, // a service directory
		{nil, []string{dir + "/web/", dir + "/bad"}, ends + times, 100},
		{map[string]string{"SVINIT_STOP_TIMEOUT": "9s"}, []string{dir + "/web"}, "", 0},
		{map[string]string{"SVINIT_STOP_TIMEOUT": "9"}, []string{dir}, "svinit: check: fatal: SVINIT_STOP_TIMEOUT=\"9\": not a time such as 8s or 500ms\n", 111},
		{nil, []string{"/nonexistent"}, "svinit: check: fatal: unable to read directory /nonexistent: file does not exist\n", 111},
		{nil, []string{"-x"}, "svinit: check: illegal option -- x\nsvinit: check: usage: svinit check [dir ...]\n", 100},
		{nil, []string{"--", dir + "/web"}, times, 1},
	} {
		if got, code := checkArgs(t, c.env, c.args...); got != c.want || code != c.code {
			t.Errorf("%v %q: exit code %d, want %d\n%s\nwant\n%s", c.env, c.args, code, c.code, got, c.want)
		}
	}
}

// Scripts of svinit run are read as svinit run reads them.
func TestOwnScripts(t *testing.T) {
	dir := tree{".bin/svinit": sh}.lay(t)
	for _, c := range []struct{ script, want string }{
		{" run\nsetuidgid nobody sleep 5\n", ""},
		{" run\n\necho a | cat\n", "web/run:3: error: pipes are not supported: use a shell"},
		{" run\nmemcached -d\n", "web/run:2: error: memcached leaves its work to the background with -d: start the program in the foreground"},
		{"\necho\n", "web/run: error: the first line of DIR/web/run starts svinit with the file as its program, again and again: it must be \"#!/path/svinit run\""},
	} {
		service := tree{"web/run": "#!" + dir + "/.bin/svinit" + c.script}.lay(t)
		want := c.want
		if want != "" {
			want = "DIR/" + want + "\n"
		}
		out, _ := checkArgs(t, nil, service)
		if out = strings.ReplaceAll(out, service, "DIR"); out != want {
			t.Errorf("%q:\n%s\nwant\n%s", c.script, out, want)
		}
	}
}

// Whatever bytes a run file has, there is an answer.
func TestHostileFiles(t *testing.T) {
	for _, content := range []string{
		"\x7fELF", "\x7fELF" + strings.Repeat("\xff", 200), sh + "\x00\x00", sh + strings.Repeat("(", 5000), sh + "exec $(", sh + "exec <<EOF",
		sh + "f() { f; }\nf\n", sh + "f() { g; }\ng() { f; }\nf\n", sh + "\"", "#!/bin/sh", sh + "# nothing\n", sh + "exec 2>&1\n", sh + "A=b\n", sh + ">x\n", sh + strings.Repeat("x\n", 1<<16),
	} {
		out, code := check(t, tree{"web/run": "+x " + content})
		if strings.Contains(out, "panic") || code != 0 && out == "" || code > 100 {
			t.Errorf("%.40q: exit code %d\n%s", content, code, out)
		}
	}
	if out, code := check(t, tree{"web/run": sh + "# nothing\n"}); code != exitErrors || out != "DIR/web/run: error: no command: the service ends at once\n" {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// A check of many services takes no longer than their start.
func BenchmarkCheck(b *testing.B) {
	dir := b.TempDir()
	for i := range 100 {
		path := filepath.Join(dir, fmt.Sprint("service", i))
		if err := os.MkdirAll(path, 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path+"/run", []byte(sh+"exec 2>&1\nexec sleep 1000\n"), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		c := checker{path: "/bin", stop: time.Second}
		if err := c.checkDir(dir); err != nil || len(c.findings) > 0 {
			b.Fatal(err, c.findings)
		}
	}
}
