package compat

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"svinit/cmd/internal/difftest"
)

// The tests compare Debian's inits with ours: exit codes, the output of the program, and
// messages whose beginning scripts may parse. They do not compare usage, license and
// verbose messages, which have our own wording, and tini's warning that it does not adopt
// orphans.

func TestMain(m *testing.M) { os.Exit(difftest.Main(m)) }

var (
	pids       = regexp.MustCompile(`(\(|:|pid=)[0-9]+\)?`)
	signalSets = regexp.MustCompile("(?m)^Sig.*\n")
	version    = regexp.MustCompile(`(?m)^(tini version [^ \n]+|dumb-init v[0-9.]+)( .*)?$`)
)

// comparedLines returns the lines that must be the same.
func comparedLines(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "[WARN  tini") && strings.Contains(line, "not running as PID 1"),
			strings.HasPrefix(line, "[INFO "), strings.HasPrefix(line, "[DEBUG"), strings.HasPrefix(line, "[TRACE"),
			strings.HasPrefix(line, "catatonit: a container init"),
			strings.HasPrefix(line, "[dumb-init] ") && !strings.Contains(line, "[dumb-init] x"):
			// dumb-init's errors begin with the program's name, which begins
			// with an x in the cases below.
		case strings.HasPrefix(line, "["):
			kept.WriteString(pids.ReplaceAllString(line, "PID"))
		case strings.HasPrefix(line, "ERROR (catatonit:"):
			kept.WriteString(pids.ReplaceAllString(line, "PID"))
		case version.MatchString(line):
			kept.WriteString(version.FindStringSubmatch(line)[1] + "\n")
		case strings.HasPrefix(line, "tini: "), strings.HasPrefix(line, "dumb-init: "), strings.HasPrefix(line, "catatonit: "),
			strings.HasPrefix(line, "- "): // messages of getopt, and output of the scripts
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// script is a program that prints its arguments and input.
const script = "#!/bin/sh\nfor a; do echo \"- $a\"; done\nsed 's/^/- /'\nexit 3\n"

var files = map[string]string{
	"xplain": "#!/bin/sh\n",
	"xdir/":  "",
	"xbad":   "#!/no/such/interpreter\n",
	"xtext":  "echo \"- by sh: $0 $1\"; exit 4\n",
	"xprog":  script,
	"xtool":  script,
}

func setup(dir string) error {
	for _, name := range []string{"xbad", "xtext", "xprog"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "xbin"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "xbin", "xtool"), []byte(script), 0o755)
}

// commonArgs are the arguments for all inits.
var commonArgs = [][]string{
	{"true"},
	{"false"},
	{"--", "sh", "-c", "exit 42"},
	{"--", "sh", "-c", "exit 255"},
	{"--", "sh", "-c", "kill -TERM $$"},
	{"--", "sh", "-c", "kill -KILL $$"},
	{"--", "sh", "-c", "kill -SEGV $$"},
	{"--", "sh", "-c", "kill -34 $$"},
	{"--", "sh", "-c", "kill -64 $$"},
	{"--", "sh", "-c", "echo - out; echo - err >&2"},
	{"--", "sh", "-c", "sleep 0 & exit 6"},
	{"--", "sh", "-c", "(exit 5)& wait; exit 6"},
	{"--", "./xprog", "a", "", "two words", "--", "-x"},
	{"./xprog", "a", "b"},
	{"--", "./xprog", "-s"},
	{"--", "./xtext", "arg"},
	{"--", "./xplain"},
	{"--", "./xdir"},
	{"--", "./xprog/below"},
	{"--", "xnosuch"},
	{"--", "./xnosuch"},
	{"--", "xtool"},
	{"--"},
	{},
	{"-Z", "true"},
	{"-", "x"},
	{"--", "-x"},
	{"-h"},
	{"-hZ"},
	{"--help"},
	{"--version"},
	{"--version", "x"},
	{"--versio"},
	{"--version=1"},
	{"--nonesuch", "true"},
	{"-V"},
	{"-l"},
	{"-L"},
	{"--", "sh", "-c", "ulimit -n >/dev/null; test -t 0; exit $?"},
	{"--", "sh", "-c", "test $(ps -o ppid= -p $$) -gt 1 && echo - child"},
	{"--", "sh", "-c", "pwd | sed 's/.*DIR//;s/.*/- here/'"},
	{"--", "sh", "-c", "env | grep -c ^XVAR= | sed 's/^/- /'"},
	{"--", "sh", "-c", "set -- $(cat /proc/$$/stat); test $5 = $1 && echo - own group; test $6 = $1 && echo - own session; true"},
	{"--", "sh", "-c", "grep SigBlk /proc/self/status | sed 's/^/- /'"},
}

// ownArgs are the arguments for one init.
var ownArgs = map[string][][]string{
	"tini": {
		{"-s", "-g", "true"},
		{"-gs", "--", "sh", "-c", "exit 2"},
		{"-vg", "-s", "--", "sh", "-c", "exit 2"},
		{"-e143", "--", "sh", "-c", "kill -TERM $$"},
		{"-e", "143", "--", "sh", "-c", "kill -TERM $$"},
		{"-e", "143", "-e", "130", "--", "sh", "-c", "kill -INT $$"},
		{"-ge143", "--", "sh", "-c", "exit 143"},
		{"-e143g", "true"},
		{"-e", "5", "--", "sh", "-c", "exit 6"},
		{"-e", "0", "false"},
		{"-e", "1", "false"},
		{"-e", "255", "--", "sh", "-c", "exit 255"},
		{"-e", "256", "true"},
		{"-e", "-1", "true"},
		{"-e", "x", "true"},
		{"-e", "5x", "true"},
		{"-e", "", "true"},
		{"-e", " 1", "false"},
		{"-e", "+1", "false"},
		{"-e", "99999999999999999999", "true"},
		{"-e"},
		{"-p", "SIGTERM", "true"},
		{"-pSIGKILL", "true"},
		{"-p", "TERM", "true"},
		{"-p", "15", "true"},
		{"-p", "sigterm", "true"},
		{"-p"},
		{"-sp", "SIGHUP", "--", "sh", "-c", "exit 7"},
		{"true", "-g"},
		{"true", "-Z"},
		{"./xprog", "-g", "a", "-s", "b", "--", "-c"},
		{"./xprog", "a", "--", "b", "--", "c"},
		{"-sw", "--", "sh", "-c", "true"},
		{"-g"},
		{"-v"},
		{"-vvvv", "xnosuch"},
		{"-l", "-Z"},
		{"-Z", "-l"},
		{"-s", "--version"},
		{"-svvvwgl"},
	},
	"dumb-init": {
		{"-c", "true"},
		{"-c", "--", "sh", "-c", "set -- $(cat /proc/$$/stat); test $5 = $1 && echo - own group; test $6 = $1 && echo - own session; exit 3"},
		{"--single-child", "sh", "-c", "exit 9"},
		{"--single", "sh", "-c", "exit 9"},
		{"--s", "sh", "-c", "exit 9"},
		{"--ver", "true"},
		{"--vers", "true"},
		{"--verb", "true"},
		{"--verb=1", "true"},
		{"-cv", "sh", "-c", "exit 9"},
		{"-r", "15:3", "true"},
		{"-r15:3", "sh", "-c", "exit 9"},
		{"--rewrite", "15:3", "true"},
		{"--rewrite=15:3", "true"},
		{"-r", "15:0", "-r", "1:2", "true"},
		{"-r", "15:3x", "true"},
		{"-r", " 15: 3", "true"},
		{"-r", "15 :3", "true"},
		{"-r", "15:", "true"},
		{"-r", ":15", "true"},
		{"-r", "", "true"},
		{"-r", "TERM:QUIT", "true"},
		{"-r", "0:1", "true"},
		{"-r", "31:31", "true"},
		{"-r", "32:1", "true"},
		{"-r", "1:32", "true"},
		{"-r", "-1:3", "true"},
		{"-r", "15:-3", "true"},
		{"-r", "+15:+3", "true"},
		{"-r"},
		{"--rewrite"},
		{"-V", "-Z"},
		{"-Z", "-V"},
		{"./xprog", "-c", "-Z", "--", "-V"},
		{"-v", "--", "./xprog", "--"},
		{"-c", "./xnosuch"},
		{"-c", "./xplain"},
	},
	"catatonit": {
		{"-g", "true"},
		{"-g", "--", "sh", "-c", "exit 8"},
		{"true", "-g"},
		{"true", "-V"},
		{"true", "-Z"},
		{"./xprog", "a", "-g", "b"},
		{"./xprog", "a", "--", "-b"},
		{"-gV"},
		{"-Vg"},
		{"--vers"},
		{"-g"},
		{"-e", "1", "false"},
		{"-L", "-Z"},
		{"--pause"},
	},
}

var packages = map[string]string{"tini": "tini", "dumb-init": "dumb-init", "catatonit": "catatonit"}

func TestCompareWithDebian(t *testing.T) {
	n := 0
	for tool, pkg := range packages {
		for _, args := range append(commonArgs, ownArgs[tool]...) {
			n++
			t.Run(fmt.Sprint(tool, args), func(t *testing.T) {
				c := difftest.Case{Tool: tool, Args: args, Files: files, Setup: setup, Mask: comparedLines, Stdin: "input\nwithout end",
					Env: []string{"XVAR=x"}, Differs: knownDifferences[tool+" "+strings.Join(args, " ")]}
				c.Before = func(cmd *exec.Cmd) {
					cmd.Env[0] = "PATH=" + cmd.Dir + ":" + cmd.Dir + "/xbin:" + os.Getenv("PATH")
				}
				difftest.Compare(t, c, pkg)
			})
		}
	}
	t.Log(n, "cases")
}

// knownDifferences are the cases with a row in doc/differences.md.
var knownDifferences = map[string]string{
	"catatonit -- sh -c grep SigBlk /proc/self/status | sed 's/^/- /'": "catatonit-mask",
}

// TestGivenSignals compares the signals that the program blocks and ignores with those
// that the init was given.
func TestGivenSignals(t *testing.T) {
	const some, others = "HUP,USR1,TERM,URG,TTIN,PROF,SEGV,34,50", "INT,USR2,PIPE,WINCH,TTOU,TSTP,SYS,35,51"
	for tool, pkg := range packages {
		for _, c := range [][2]string{{some, others}, {others, some}} {
			if tool == "catatonit" {
				c[0] += ",TSTP,TTIN,TTOU" // catatonit-mask
			}
			difftest.Compare(t, difftest.Case{
				Mask: func(text string) string { return strings.Join(signalSets.FindAllString(text, -1), "") },
				Tool: tool, Args: []string{"--", "grep", "-E", "SigBlk|SigIgn", "/proc/self/status"},
				Before: func(cmd *exec.Cmd) {
					cmd.Args = append([]string{"env", "--block-signal=" + c[0], "--ignore-signal=" + c[1], "bash", "-c", `exec -a "$0" "$@"`,
						cmd.Args[0], cmd.Path}, cmd.Args[1:]...)
					cmd.Path = "/usr/bin/env"
				},
			}, pkg)
		}
	}
}

// TestVariables compares the effects of environment variables.
func TestVariables(t *testing.T) {
	for _, c := range []struct {
		env  []string
		argv []string
	}{
		{[]string{"POSIXLY_CORRECT="}, []string{"tini", "./xprog", "-g", "--", "a"}},
		{[]string{"POSIXLY_CORRECT=1"}, []string{"catatonit", "./xprog", "-g", "--", "a"}},
		{[]string{"TINI_SUBREAPER="}, []string{"tini", "true"}},
		{[]string{"TINI_VERBOSITY=0"}, []string{"tini", "false"}},
		{[]string{"TINI_VERBOSITY=x"}, []string{"tini", "xnosuch"}},
		{[]string{"TINI_VERBOSITY=-1"}, []string{"tini", "xnosuch"}},
		{[]string{"TINI_VERBOSITY="}, []string{"tini", "xnosuch"}},
		{[]string{"TINI_VERBOSITY=0"}, []string{"tini", "-e", "x"}},
		{[]string{"TINI_KILL_PROCESS_GROUP=0"}, []string{"tini", "sh", "--", "-c", "exit 3"}},
		{[]string{"DUMB_INIT_SETSID=0"}, []string{"dumb-init", "sh", "-c", "set -- $(cat /proc/$$/stat); test $5 = $1 || echo - group; test $6 = $1 || echo - session"}},
		{[]string{"DUMB_INIT_SETSID=1"}, []string{"dumb-init", "sh", "-c", "set -- $(cat /proc/$$/stat); test $5 = $1 || echo - group; test $6 = $1 || echo - session"}},
		{[]string{"DUMB_INIT_SETSID="}, []string{"dumb-init", "sh", "-c", "set -- $(cat /proc/$$/stat); test $6 = $1 || echo - session"}},
		{[]string{"DUMB_INIT_DEBUG=1"}, []string{"dumb-init", "sh", "-c", "exit 3"}},
		{[]string{"CATATONIT_DEBUG=1"}, []string{"catatonit", "sh", "-c", "exit 3"}},
		{[]string{"SVINIT_SIGNALS=nonsense", "SVINIT_SERVICE_DIR=."}, []string{"tini", "sh", "--", "-c", "exit 3"}},
	} {
		t.Run(strings.Join(append(c.env, c.argv...), " "), func(t *testing.T) {
			difftest.Compare(t, difftest.Case{Tool: c.argv[0], Args: c.argv[1:], Env: c.env, Files: files, Setup: setup, Mask: comparedLines}, c.argv[0])
		})
	}
}

// asPID1 runs a case as PID 1 of a new PID namespace.
func asPID1(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Setsid: true}
}

// TestAsPID1 compares some cases as PID 1.
func TestAsPID1(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a PID namespace")
	}
	for tool, pkg := range packages {
		for _, args := range [][]string{
			{"true"},
			{"--", "sh", "-c", "exit 42"},
			{"--", "sh", "-c", "kill -TERM $$"},
			{"--", "sh", "-c", "kill -64 $$"},
			{"--", "xnosuch"},
			{"--", "./xplain"},
			{"-Z"},
			{},
			{"--", "sh", "-c", "trap 'exit 5' TERM; kill -TERM 1; while :; do sleep 1; done"},
			{"--", "sh", "-c", "trap 'exit 5' INT; kill -INT 1; while :; do sleep 1; done"},
			{"--", "sh", "-c", "trap 'exit 5' WINCH; kill -WINCH 1; while :; do sleep 1; done"},
			{"--", "sh", "-c", "trap 'exit 5' 10; kill -10 1; while :; do sleep 1; done"},
			// The kernel kills orphans that are still running.
			{"--", "sh", "-c", "(sleep 600 >/dev/null 2>&1 &); exit 3"},
			// Many orphans.
			{"--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do (sh -c true &); done; exit 3"},
		} {
			t.Run(fmt.Sprint(tool, args), func(t *testing.T) {
				difftest.Compare(t, difftest.Case{Tool: tool, Args: args, Files: files, Setup: setup, Mask: comparedLines, Before: asPID1}, pkg)
			})
		}
	}
}

// TestInterpreter checks the message for a missing interpreter, which the originals do not
// name.
func TestInterpreter(t *testing.T) {
	for tool, pkg := range packages {
		_, ours := difftest.Compare(t, difftest.Case{Tool: tool, Args: []string{"./xbad"}, Files: files, Setup: setup,
			Mask: func(s string) string { return pids.ReplaceAllString(s, "PID") }, Differs: "compat-interpreter"}, pkg)
		if !strings.Contains(ours.Stderr, "No such file or directory (./xbad: its interpreter /no/such/interpreter does not exist)\n") {
			t.Errorf("%s: %s", tool, ours)
		}
	}
}
