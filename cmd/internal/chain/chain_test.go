package chain

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"svinit/cmd/internal/difftest"
)

// The tests of this package compare Debian's programs with ours. Not tested: user
// databases other than the files (nsswitch.conf of the C library); how long a lock
// takes; messages of programs that a limit kills while they write them; failing
// forks.

func TestMain(m *testing.M) { os.Exit(difftest.Main(m)) }

// run makes a case of a command line, which is split at spaces, and further
// arguments, which are not.
func run(line string, args ...string) difftest.Case {
	words := strings.Fields(line)
	return difftest.Case{Tool: words[0], Args: append(words[1:], args...)}
}

// sh makes a case in which the tool executes a shell script.
func sh(line, script string) difftest.Case { return run(line, "sh", "-c", script) }

// with makes a case with a change.
func with(c difftest.Case, change func(*difftest.Case)) difftest.Case {
	change(&c)
	return c
}

// viaBash makes a case in which bash executes script, where RUN stands for the
// execution of the tool.
func viaBash(script string, c difftest.Case) difftest.Case {
	script = `name=$1 program=$2; shift 2; ` + strings.ReplaceAll(script, "RUN", `exec -a "$name" "$program" "$@"`)
	c.Before = func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"bash", "-c", script, "bash", cmd.Args[0], cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/bash"
	}
	return c
}

// blocking runs a case with signals blocked.
func blocking(signals string, c difftest.Case) difftest.Case {
	c = viaBash("RUN", c)
	bash := c.Before
	c.Before = func(cmd *exec.Cmd) {
		bash(cmd)
		cmd.Args = append([]string{"env", "--block-signal=" + signals}, cmd.Args...)
		cmd.Path = "/usr/bin/env"
	}
	return c
}

// asUser runs a case as another user.
func asUser(uid uint32, c difftest.Case) difftest.Case {
	c.UID = uid
	return c
}

// env gives a case an environment.
func env(c difftest.Case, environ ...string) difftest.Case {
	c.Env = append(c.Env, environ...)
	return c
}

// files gives a case files.
func files(c difftest.Case, files map[string]string) difftest.Case {
	c.Files = files
	return c
}

// setup gives a case files that are not regular ones.
func setup(c difftest.Case, do func(dir string) error) difftest.Case {
	c.Setup = do
	return c
}

// differs gives a case the ID of its row in doc/differences.md.
func differs(id string, c difftest.Case) difftest.Case {
	c.Differs = id
	return c
}

const nobody = 65534

// pkg returns the Debian package of the original.
func pkg(tool string) string {
	if tool == "chpst" {
		return "runit"
	}
	return "daemontools"
}

// compare runs cases as parallel subtests.
func compare(t *testing.T, cases ...difftest.Case) {
	t.Helper()
	for i, c := range cases {
		name := fmt.Sprintf("%02d %s %q", i, c.Tool, c.Args)
		if c.Tool == "chpst" && c.Mask == nil { // runit 2.1.2 does not have the option
			c.Mask = func(s string) string { return strings.Replace(s, "[-C pwd] ", "", 1) }
		}
		t.Run(name[:min(len(name), 60)], func(t *testing.T) {
			t.Parallel()
			difftest.Compare(t, c, pkg(c.Tool))
		})
	}
}

// installLinks returns a directory with links to our tools.
func installLinks(t *testing.T) string {
	t.Helper()
	dir := difftest.OpenDir(t)
	if out, err := exec.Command(difftest.Binary(), "--install", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// originalDir returns the directory of Debian's tools.
func originalDir(t *testing.T) string {
	t.Helper()
	return filepath.Dir(difftest.Real(t, "setuidgid", "daemontools"))
}

const limitsScript = `ulimit -Sa; ulimit -Ha | grep -v nothing`

// TestUsage compares wrong usages.
func TestUsage(t *testing.T) {
	for _, tool := range []string{"setuidgid", "envuidgid", "envdir", "softlimit", "setlock", "pgrphack", "fghack", "chpst"} {
		compare(t, run(tool), run(tool, "--"), run(tool, "-"), run(tool, ""), run(tool, "-z"), run(tool, "-z", "true"), run(tool, "x"), run(tool, "-h"), differs("help", run(tool, "--help")))
	}
	compare(t,
		run("setlock -n"), run("setlock -n f"), run("setlock -nNxXq f true"), run("setlock -- f"), run("setlock - true"),
		run("softlimit -o"), run("softlimit -o 5"), run("softlimit -o x true"), run("softlimit -o -1 true"), run("softlimit -o 5k true"), run("softlimit -o == true"),
		run("softlimit -o", " 5", "true"), run("softlimit -o +5 true"), run("softlimit -zo 5 true"), run("softlimit -o 5 -z true"), run("softlimit -ao 5 true"),
		run("chpst -o"), run("chpst -o x true"), run("chpst -o = true"), run("chpst -o -1 true"), run("chpst -n x true"), run("chpst -n 3x true"), run("chpst -n -3x true"),
		run("chpst -n +x true"), run("chpst -n ++3 true"), run("chpst -n -- true"), run("chpst -l a -L b true"), run("chpst -L b -L b true"), run("chpst -b x"), run("chpst -v"),
		differs("chpst-pwd", run("chpst -C / true")), run("chpst -s 5 true"), run("chpst -a 5 true"),
		differs("chpst-version", run("chpst -V")), differs("chpst-version", run("chpst -V true")),
	)
}

// TestSearch compares where a program is found, and the errors if it is not.
func TestSearch(t *testing.T) {
	programs := map[string]string{
		"a/x": "#!/bin/sh\necho a\n", "b/x": "#!/bin/sh\necho b\n", "c/x/y": "", "x": "#!/bin/sh\necho here\n",
		"text/x": "echo no interpreter\n", "plain/x": "#!/bin/sh\necho plain\n", "empty/x": "",
		"bad/x": "#!/no/interpreter\n", "file": "", "loop/": "", "dangling/": "",
	}
	executable := func(dir string) error {
		for _, name := range []string{"a/x", "b/x", "x", "text/x", "bad/x", "empty/x"} {
			if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
				return err
			}
		}
		if err := os.Symlink("nowhere", filepath.Join(dir, "dangling/x")); err != nil {
			return err
		}
		return os.Symlink("x", filepath.Join(dir, "loop/x"))
	}
	for _, tool := range []string{"pgrphack", "fghack", "envdir empty.d", "chpst"} {
		in := func(c difftest.Case, path string) difftest.Case {
			c.Files = map[string]string{"empty.d/": ""}
			for name, content := range programs {
				c.Files[name] = content
			}
			return env(setup(c, executable), "PATH="+path)
		}
		compare(t,
			run(tool+" nonexist"), run(tool+" ./nonexist"), run(tool+" /"), run(tool+" ."), run(tool+" x/"), run(tool, ""), run(tool, "a\nb\xff"),
			run(tool, strings.Repeat("x", 300)), run(tool, strings.Repeat("x/", 3000)),
			in(run(tool+" x"), "a:b"), in(run(tool+" x"), "b:a"), in(run(tool+" x"), "nowhere:b"), in(run(tool+" x"), ""), in(run(tool+" x"), ":a"), in(run(tool+" x"), "nowhere:"),
			in(run(tool+" x"), "c:b"), in(run(tool+" x"), "c"), in(run(tool+" x"), "c:nowhere"), in(run(tool+" x"), "plain:b"), in(run(tool+" x"), "plain"), in(run(tool+" x"), "plain:nowhere"),
			in(run(tool+" x"), "text:b"), in(run(tool+" x"), "empty:b"), in(run(tool+" x"), "bad:b"), in(run(tool+" x"), "bad"), in(run(tool+" x"), "loop:b"), in(run(tool+" x"), "dangling:b"), in(run(tool+" x"), "file:b"),
			in(run(tool+" a/x"), "b"), in(run(tool+" text/x"), "b"), in(run(tool+" file/x"), "b"), in(run(tool+" plain/x"), "b"),
			viaBash(`unset PATH; RUN`, run(tool+" true")), viaBash(`unset PATH; RUN`, run(tool+" setuidgid")),
		)
	}
	for _, tool := range []string{"setuidgid root", "envuidgid root", "softlimit", "softlimit -m 5000000", "setlock lock"} {
		compare(t, run(tool+" nonexist"), run(tool+" ./nonexist"), run(tool+" /"), run(tool, ""), viaBash(`PATH=; RUN`, run(tool+" true")), viaBash(`unset PATH; RUN`, run(tool+" true")))
	}
	compare(t,
		sh("pgrphack", `exit 17`), sh("pgrphack", `kill -9 $$`), sh("pgrphack", `kill -TERM $$`), sh("pgrphack", "cat; echo err >&2"),
		with(run("pgrphack cat"), func(c *difftest.Case) { c.Stdin = strings.Repeat("line\n", 100000) }),
		run("pgrphack printf", "%s|", "", "a b", "\n", "\xff", strings.Repeat("y", 100000)),
		sh("pgrphack", `set -- $(cat /proc/self/stat); test $5 = $6 && echo leader`),
		sh("softlimit", `set -- $(cat /proc/self/stat); test $5 = $6 && echo leader; true`),
		sh("chpst -P", `set -- $(cat /proc/self/stat); test $5 = $6 && echo leader; true`),
	)
}

// TestInheritedState compares the process state that a program inherits and that no
// option changes.
func TestInheritedState(t *testing.T) {
	const state = `grep -E '^(Sig|Umask|Cap|NoNewPrivs|Seccomp|Groups|[UG]id)' /proc/$$/status | grep -v SigQ; ls /proc/$$/fd; ulimit -Sn; ulimit -Hn; nice; pwd; env | sort | grep -v -E '^(_|SHLVL|OLDPWD)='`
	for _, tool := range []string{"pgrphack", "setuidgid nobody", "softlimit -c 0", "setlock lock", "chpst -u nobody -U daemon", "fghack"} {
		compare(t,
			sh(tool, state), env(sh(tool, state), "A=1", "B=", "=x", "noequals"),
			viaBash(`ulimit -Sn 100; RUN`, sh(tool, state)), viaBash(`ulimit -n 100; RUN`, sh(tool, state)),
			viaBash(`trap "" HUP INT; RUN`, sh(tool, state)),
			viaBash(`trap "" HUP PIPE USR1 TERM URG TTIN TSTP PROF SEGV 34 50; RUN`, sh(tool, state)),
			blocking("HUP,PIPE,USR1,TERM,CHLD,URG,TTIN,TSTP,PROF,SEGV,34,50", sh(tool, state)),
			viaBash(`umask 027; cd /; RUN`, sh(strings.Replace(tool, "lock lock", "lock /dev/null", 1), state)),
			viaBash(`exec 7</dev/null 9>/dev/null; RUN`, sh(tool, state)),
			viaBash(`nice -n 4 true; RUN`, sh(tool, state)),
		)
	}
	compare(t,
		viaBash(`RUN <&-`, differs("closed-stream", sh("pgrphack", `ls /proc/$$/fd`))),
		viaBash(`RUN >&-`, run("softlimit")), viaBash(`RUN 2>&-`, run("softlimit")), viaBash(`RUN 2>&-`, run("pgrphack nonexist")),
	)
}

// TestEnvironmentTwice has a variable twice in the environment, which a shell cannot
// create.
func TestEnvironmentTwice(t *testing.T) {
	for program, want := range map[string]string{
		difftest.Real(t, "pgrphack", "daemontools"): "A=1\nB=2\nA=3\nnothing\n",
		difftest.Binary(): "A=1\nB=2\nnothing\n", // environment-twice of doc/differences.md
	} {
		r, w, err := os.Pipe()
		must(t, err)
		p, err := os.StartProcess(program, []string{"pgrphack", "/usr/bin/env"}, &os.ProcAttr{
			Env: []string{"A=1", "B=2", "A=3", "nothing"}, Files: []*os.File{nil, w, os.Stderr},
		})
		must(t, err)
		w.Close()
		out, err := io.ReadAll(r)
		must(t, err)
		r.Close()
		if _, err := p.Wait(); err != nil || string(out) != want {
			t.Errorf("%s: %q, %v, want %q", program, out, err, want)
		}
	}
}

// TestChpstDirectory tests the option -C, which Debian's chpst does not have.
func TestChpstDirectory(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"/a/b", "/jail/a"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script := root + "/jail/print"
	if err := os.WriteFile(script, []byte("#!/no/interpreter\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args, stdout, stderr string
		code                 int
	}{
		{"-C a pwd", root + "/a\n", "", 0},
		{"-C a -C a/b pwd", root + "/a/b\n", "", 0}, // the last one counts
		{"-C / -e a/b pwd", "/\n", "", 0},
		{"-C no pwd", "", "chpst: fatal: unable to change directory: no: file does not exist\n", 111},
		{"-C jail/print pwd", "", "chpst: fatal: unable to change directory: jail/print: not a directory\n", 111},
		{"-C", "", "chpst: option requires an argument -- C\nusage: " + chpstSynopsis + "\n\n", 100},
		// The directory is looked for in the new root: /b is only in the old one.
		{"-/ jail -C /b pwd", "", "chpst: fatal: unable to change directory: /b: file does not exist\n", 111},
		{"-C /a -/ jail ./nosuch", "", "chpst: fatal: unable to run: ./nosuch: file does not exist\n", 111},
	} {
		if strings.Contains(c.args, "-/") && os.Geteuid() != 0 {
			continue
		}
		var stdout, stderr strings.Builder
		cmd := exec.Command(difftest.Binary())
		cmd.Args = append([]string{"chpst"}, strings.Fields(c.args)...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = root, &stdout, &stderr
		cmd.Run()
		if stdout.String() != c.stdout || stderr.String() != c.stderr || cmd.ProcessState.ExitCode() != c.code {
			t.Errorf("chpst %s: %d, %q, %q", c.args, cmd.ProcessState.ExitCode(), stdout.String(), stderr.String())
		}
	}
}
