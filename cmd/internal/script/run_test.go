package script

import (
	"os"
	"strings"
	"testing"

	"svinit/cmd/internal/difftest"
)

// ran is what svinit run left behind: its output and error, and its code.
type ran struct {
	stdout, stderr string
	code           int
}

func execute(t *testing.T, script string, args ...string) ran {
	t.Helper()
	c := difftest.Case{
		Tool: "svinit", Args: append([]string{"run"}, args...), Env: []string{"PATH=/usr/bin:/bin"},
		Files: map[string]string{"s": script, "noint": "#!/no/such/interpreter\n", "dir/": "", "big": strings.Repeat("#", limit+1), "bin/svok": "#!/bin/sh\necho not ours\n", "loop@": "loop"},
		Setup: func(dir string) error {
			for _, name := range []string{"noint", "bin/svok"} {
				if err := os.Chmod(dir+"/"+name, 0o755); err != nil {
					return err
				}
			}
			return nil
		},
	}
	o := c.Run(t, difftest.Binary())
	return ran{o.Stdout, o.Stderr, o.Code}
}

// TestFaults is what we say when the script is right and the world is not.
func TestFaults(t *testing.T) {
	const voice = "svinit: run: ./s:"
	for _, c := range []struct {
		script string
		ran
	}{
		{"true\n nosuch", ran{"", voice + "2:2: unable to execute nosuch: no such program in PATH\n", 127}},
		{"nosuch; true", ran{"", voice + "1:1: unable to execute nosuch: no such program in PATH\n", 127}},
		{"exec A=1 nosuch", ran{"", voice + "1:1: unable to execute A=1: no such program in PATH\n", 127}},
		{"exec ./s", ran{"", voice + "1:1: unable to execute ./s: ./s is not executable: chmod +x it\n", 126}},
		{"./s; true", ran{"", voice + "1:1: unable to execute ./s: ./s is not executable: chmod +x it\n", 126}},
		{"A=1 ./noint", ran{"", voice + "1:5: unable to execute ./noint: ./noint: its interpreter /no/such/interpreter does not exist\n", 127}},
		{"./nosuch", ran{"", voice + "1:1: unable to execute ./nosuch: no such file or directory\n", 127}},
		{"./dir; true", ran{"", voice + "1:1: unable to execute ./dir: ./dir is a directory: put an executable there\n", 126}},
		{"./loop", ran{"", voice + "1:1: unable to execute ./loop: too many levels of symbolic links\n", 127}},
		{"PATH=dir:.:bin; noint", ran{"", voice + "1:17: unable to execute noint: ./noint: its interpreter /no/such/interpreter does not exist\n", 127}},
		// A file in PATH that cannot be executed is remembered, as execvp does;
		// dash would call it not found.
		{"PATH=.; s; true", ran{"", voice + "1:9: unable to execute s: ./s is not executable: chmod +x it\n", 126}},
		{"sh -c 'kill -KILL $$'; true", ran{"", voice + "1:1: sh was killed by SIGKILL\n", 137}},
		{"true\ntrue 2>&1 <nosuch", ran{"", voice + "2:11: unable to open nosuch: file does not exist\n", 2}},
		{">dir", ran{"", voice + "1:1: unable to open dir: is a directory\n", 2}},
		{"true >&7", ran{"", voice + "1:6: descriptor 7 is not open\n", 2}},
		{"cd nosuch", ran{"", voice + "1:1: unable to chdir to nosuch: file does not exist\n", 2}},
		{"D=-; cd $D", ran{"", voice + "1:6: cd wants one directory, and has no options\n", 2}},
		{"M=x; umask $M", ran{"", voice + "1:6: umask wants an octal number from 0 to 777, not \"x\"\n", 2}},
		{"true\n\ttrue ${A?}", ran{"", voice + "2:7: A is not set\n", 2}},
		{"A=; true ${A:?}", ran{"", voice + "1:10: A is empty\n", 2}},
		{"true ${A:?where is it}", ran{"", voice + "1:6: A: where is it\n", 2}},
		{"set -u; true $A", ran{"", voice + "1:14: A is not set\n", 2}},
		{"A=exec; $A true", ran{"", voice + "1:9: exec is not supported as the result of an expansion\n", 2}},
		{"A=exit; $A", ran{"", voice + "1:9: exit is not supported: use a shell\n", 2}},
		{"exec 2>&1; nosuch", ran{voice + "1:12: unable to execute nosuch: no such program in PATH\n", "", 127}},
		{"nosuch 2>&1", ran{voice + "1:1: unable to execute nosuch: no such program in PATH\n", "", 127}},
		{"exec 2>&-; nosuch", ran{"", "", 127}},
		{"echo a\necho b | c", ran{"", voice + "2:8: pipes are not supported: use a shell\n", 2}}, // nothing is executed
		{strings.Repeat("(", limit-1), ran{"", voice + "1: `(` must be followed by a statement list\n", 2}},
	} {
		if got := execute(t, c.script, "./s"); got != c.ran {
			t.Errorf("%.80q\n got %+v\nwant %+v", c.script, got, c.ran)
		}
	}
}

func TestUse(t *testing.T) {
	const usage = "svinit: run: usage: svinit run [-n] file [argument ...]\n"
	for _, c := range []struct {
		args string
		ran
	}{
		{"", ran{"", usage, 100}},
		{"-x", ran{"", "svinit: run: illegal option -- x\n" + usage, 100}},
		{"-n", ran{"", usage, 100}},
		{"nosuch", ran{"", "svinit: run: unable to read nosuch: file does not exist\n", 127}},
		{"dir", ran{"", "svinit: run: unable to read dir: is a directory\n", 126}},
		{"big", ran{"", "svinit: run: unable to read big: more than 131072 bytes\n", 126}},
		{"-n big", ran{"", "svinit: run: unable to read big: more than 131072 bytes\n", 126}},
		{"s", ran{"s \n", "", 0}},
		{"-n s", ran{"", "", 0}},
		{"-n s nosuch big s", ran{"", "svinit: run: unable to read nosuch: file does not exist\nsvinit: run: unable to read big: more than 131072 bytes\n", 127}},
		{"-- s -n", ran{"s -n\n", "", 0}},
		{"./s -- x", ran{"./s -- x\n", "", 0}},
	} {
		if got := execute(t, `echo $0 "$@"`, strings.Fields(c.args)...); got != c.ran && !(c.args == "s" && got.stdout == "s\n") {
			t.Errorf("%q\n got %+v\nwant %+v", c.args, got, c.ran)
		}
	}
	if got := execute(t, "echo a\nb |", "-n", "s"); got.code != 2 || got.stdout != "" || !strings.HasPrefix(got.stderr, "svinit: run: s:2:") {
		t.Errorf("-n: %+v", got)
	}
}

// TestTools has svinit's own tools without any link, and links that win.
func TestTools(t *testing.T) {
	const usage = "svok: usage: svok dir\n"
	for _, c := range []struct {
		script string
		ran
	}{
		{"svok", ran{"", usage, 100}},
		{"exec svok", ran{"", usage, 100}},
		{"svok; true", ran{"", usage, 100}},
		{"svok 2>&1", ran{usage, "", 100}},
		{"svok .", ran{"", "", 100}},
		{"svstat /no/such", ran{"/no/such: unable to chdir: file does not exist\n", "", 0}},
		{"svstat /no/such; svstat /no/such", ran{strings.Repeat("/no/such: unable to chdir: file does not exist\n", 2), "", 0}},
		{"PATH=bin; svok", ran{"not ours\n", "", 0}},
		{"PATH=dir svok", ran{"", usage, 100}},
		{"PATH=dir:nosuch; exec svok", ran{"", usage, 100}},
		{"T=svok; $T", ran{"", usage, 100}},
		// So do the tools of a chain find the next.
		{"PATH=dir; exec pgrphack softlimit -o 50 svok", ran{"", usage, 100}},
		{"PATH=dir; softlimit -o 50 pgrphack svstat /no/such; exec chpst -o 50 svok", ran{"/no/such: unable to chdir: file does not exist\n", usage, 100}},
		{"PATH=bin pgrphack svok", ran{"not ours\n", "", 0}},
		{"PATH=dir pgrphack nosuch", ran{"", "pgrphack: fatal: unable to run nosuch: file does not exist\n", 111}},
		{"./svok", ran{"", "svinit: run: ./s:1:1: unable to execute ./svok: no such file or directory\n", 127}},
		// What is called as "svinit run" alone is no tool of that name.
		{"run x", ran{"", "svinit: run: ./s:1:1: unable to execute run: no such program in PATH\n", 127}},
	} {
		if got := execute(t, c.script, "./s"); got != c.ran {
			t.Errorf("%q\n got %+v\nwant %+v", c.script, got, c.ran)
		}
	}
}

// TestOneProcess is that the last command, or exec's, has the script's process
// id, which is $$.
func TestOneProcess(t *testing.T) {
	for _, script := range []string{
		"sh -c 'test $$ = '$$",
		"exec sh -c 'test $$ = '$$; nosuch",
		"true; exec 2>&1; A=1 sh -c 'test $$ = '$$ >out",
	} {
		if got := execute(t, script, "./s"); got != (ran{}) {
			t.Errorf("%q: %+v", script, got)
		}
	}
}
