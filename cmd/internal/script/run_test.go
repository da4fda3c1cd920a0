package script

import (
	"os"
	"strings"
	"testing"

	"svinit/cmd/internal/difftest"
)

// result is the output and exit code of a run of svinit.
type result struct {
	stdout, stderr string
	code           int
}

func execute(t *testing.T, script string, args ...string) result {
	t.Helper()
	c := difftest.Case{
		Tool: "svinit", Args: append([]string{"run"}, args...), Env: []string{"PATH=/usr/bin:/bin"},
		Files: map[string]string{"s": script, "noint": "#!/no/such/interpreter\n", "dir/": "", "big": strings.Repeat("#", maxScriptSize+1), "bin/svok": "#!/bin/sh\necho not ours\n", "loop@": "loop"},
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
	return result{o.Stdout, o.Stderr, o.Code}
}

// TestRuntimeErrors checks the messages of valid scripts that fail when they are
// executed.
func TestRuntimeErrors(t *testing.T) {
	const voice = "svinit: run: ./s:"
	for _, c := range []struct {
		script string
		result
	}{
		{"true\n nosuch", result{"", voice + "2:2: unable to execute nosuch: no such program in PATH\n", 127}},
		{"nosuch; true", result{"", voice + "1:1: unable to execute nosuch: no such program in PATH\n", 127}},
		{"exec A=1 nosuch", result{"", voice + "1:1: unable to execute A=1: no such program in PATH\n", 127}},
		{"exec ./s", result{"", voice + "1:1: unable to execute ./s: ./s is not executable: chmod +x it\n", 126}},
		{"./s; true", result{"", voice + "1:1: unable to execute ./s: ./s is not executable: chmod +x it\n", 126}},
		{"A=1 ./noint", result{"", voice + "1:5: unable to execute ./noint: ./noint: its interpreter /no/such/interpreter does not exist\n", 127}},
		{"./nosuch", result{"", voice + "1:1: unable to execute ./nosuch: no such file or directory\n", 127}},
		{"./dir; true", result{"", voice + "1:1: unable to execute ./dir: ./dir is a directory: put an executable there\n", 126}},
		{"./loop", result{"", voice + "1:1: unable to execute ./loop: too many levels of symbolic links\n", 127}},
		{"PATH=dir:.:bin; noint", result{"", voice + "1:17: unable to execute noint: ./noint: its interpreter /no/such/interpreter does not exist\n", 127}},
		// A file in PATH that is not executable is reported, as by execvp; dash
		// reports "not found".
		{"PATH=.; s; true", result{"", voice + "1:9: unable to execute s: ./s is not executable: chmod +x it\n", 126}},
		{"sh -c 'kill -KILL $$'; true", result{"", voice + "1:1: sh was killed by SIGKILL\n", 137}},
		{"true\ntrue 2>&1 <nosuch", result{"", voice + "2:11: unable to open nosuch: file does not exist\n", 2}},
		{">dir", result{"", voice + "1:1: unable to open dir: is a directory\n", 2}},
		{"true >&7", result{"", voice + "1:6: descriptor 7 is not open\n", 2}},
		{"cd nosuch", result{"", voice + "1:1: unable to chdir to nosuch: file does not exist\n", 2}},
		{"D=-; cd $D", result{"", voice + "1:6: cd takes one directory and no options\n", 2}},
		{"M=x; umask $M", result{"", voice + "1:6: umask takes an octal number from 0 to 777, not \"x\"\n", 2}},
		{"true\n\ttrue ${A?}", result{"", voice + "2:7: A is not set\n", 2}},
		{"A=; true ${A:?}", result{"", voice + "1:10: A is empty\n", 2}},
		{"true ${A:?where is it}", result{"", voice + "1:6: A: where is it\n", 2}},
		{"set -u; true $A", result{"", voice + "1:14: A is not set\n", 2}},
		{"A=exec; $A true", result{"", voice + "1:9: exec is not supported as the result of an expansion\n", 2}},
		{"A=exit; $A", result{"", voice + "1:9: exit is not supported: use a shell\n", 2}},
		{"exec 2>&1; nosuch", result{voice + "1:12: unable to execute nosuch: no such program in PATH\n", "", 127}},
		{"nosuch 2>&1", result{voice + "1:1: unable to execute nosuch: no such program in PATH\n", "", 127}},
		{"exec 2>&-; nosuch", result{"", "", 127}},
		{"echo a\necho b | c", result{"", voice + "2:8: pipes are not supported: use a shell\n", 2}}, // nothing is executed
		{strings.Repeat("(", maxScriptSize-1), result{"", voice + "1: `(` must be followed by a statement list\n", 2}},
	} {
		if got := execute(t, c.script, "./s"); got != c.result {
			t.Errorf("%.80q\n got %+v\nwant %+v", c.script, got, c.result)
		}
	}
}

func TestUsage(t *testing.T) {
	const usage = "svinit: run: usage: svinit run [-n] file [argument ...]\n"
	for _, c := range []struct {
		args string
		result
	}{
		{"", result{"", usage, 100}},
		{"-x", result{"", "svinit: run: illegal option -- x\n" + usage, 100}},
		{"-n", result{"", usage, 100}},
		{"nosuch", result{"", "svinit: run: unable to read nosuch: file does not exist\n", 127}},
		{"dir", result{"", "svinit: run: unable to read dir: is a directory\n", 126}},
		{"big", result{"", "svinit: run: unable to read big: more than 131072 bytes\n", 126}},
		{"-n big", result{"", "svinit: run: unable to read big: more than 131072 bytes\n", 126}},
		{"s", result{"s \n", "", 0}},
		{"-n s", result{"", "", 0}},
		{"-n s nosuch big s", result{"", "svinit: run: unable to read nosuch: file does not exist\nsvinit: run: unable to read big: more than 131072 bytes\n", 127}},
		{"-- s -n", result{"s -n\n", "", 0}},
		{"./s -- x", result{"./s -- x\n", "", 0}},
	} {
		if got := execute(t, `echo $0 "$@"`, strings.Fields(c.args)...); got != c.result && !(c.args == "s" && got.stdout == "s\n") {
			t.Errorf("%q\n got %+v\nwant %+v", c.args, got, c.result)
		}
	}
	if got := execute(t, "echo a\nb |", "-n", "s"); got.code != 2 || got.stdout != "" || !strings.HasPrefix(got.stderr, "svinit: run: s:2:") {
		t.Errorf("-n: %+v", got)
	}
}

// TestOwnTools runs svinit's own tools without links to them. Programs in PATH
// are preferred to them.
func TestOwnTools(t *testing.T) {
	const usage = "svok: usage: svok dir\n"
	for _, c := range []struct {
		script string
		result
	}{
		{"svok", result{"", usage, 100}},
		{"exec svok", result{"", usage, 100}},
		{"svok; true", result{"", usage, 100}},
		{"svok 2>&1", result{usage, "", 100}},
		{"svok .", result{"", "", 100}},
		{"svstat /no/such", result{"/no/such: unable to chdir: file does not exist\n", "", 0}},
		{"svstat /no/such; svstat /no/such", result{strings.Repeat("/no/such: unable to chdir: file does not exist\n", 2), "", 0}},
		{"PATH=bin; svok", result{"not ours\n", "", 0}},
		{"PATH=dir svok", result{"", usage, 100}},
		{"PATH=dir:nosuch; exec svok", result{"", usage, 100}},
		{"T=svok; $T", result{"", usage, 100}},
		// Tools that execute another program find svinit's tools too.
		{"PATH=dir; exec pgrphack softlimit -o 50 svok", result{"", usage, 100}},
		{"PATH=dir; softlimit -o 50 pgrphack svstat /no/such; exec chpst -o 50 svok", result{"/no/such: unable to chdir: file does not exist\n", usage, 100}},
		{"PATH=bin pgrphack svok", result{"not ours\n", "", 0}},
		{"PATH=dir pgrphack nosuch", result{"", "pgrphack: fatal: unable to run nosuch: file does not exist\n", 111}},
		{"./svok", result{"", "svinit: run: ./s:1:1: unable to execute ./svok: no such file or directory\n", 127}},
		// A subcommand such as "svinit run" is not a tool.
		{"run x", result{"", "svinit: run: ./s:1:1: unable to execute run: no such program in PATH\n", 127}},
	} {
		if got := execute(t, c.script, "./s"); got != c.result {
			t.Errorf("%q\n got %+v\nwant %+v", c.script, got, c.result)
		}
	}
}

// TestExecKeepsPID checks that the last command, or that of exec, has the process
// ID of the script, $$.
func TestExecKeepsPID(t *testing.T) {
	for _, script := range []string{
		"sh -c 'test $$ = '$$",
		"exec sh -c 'test $$ = '$$; nosuch",
		"true; exec 2>&1; A=1 sh -c 'test $$ = '$$ >out",
	} {
		if got := execute(t, script, "./s"); got != (result{}) {
			t.Errorf("%q: %+v", script, got)
		}
	}
}
