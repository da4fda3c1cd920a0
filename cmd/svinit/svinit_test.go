package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// actAsMain is the environment variable that makes the test binary act as svinit,
// under the name it is called by.
const actAsMain = "SVINIT_TEST_MAIN"

func init() {
	if os.Getenv(actAsMain) != "" {
		main()
	}
}

type result struct {
	stdout, stderr string
	code           int
}

// runAs runs svinit, from the file path, with the name argv[0].
func runAs(t *testing.T, path string, argv ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Args = argv
	cmd.Env = []string{actAsMain + "=1", "GORACE=atexit_sleep_ms=0", "SVINIT_SERVICE_DIR=" + t.TempDir() + "/no", "PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

const self = "/proc/self/exe"

// TestDispatch runs the tools in every way in which they can be called.
func TestDispatch(t *testing.T) {
	svok := result{"", "svok: usage: svok dir\n", 100}
	for _, argv := range [][]string{
		{"svok"}, {"/usr/bin/svok"}, {"./svok"}, {"svinit", "svok"}, {"/usr/bin/svinit", "svok"}, {"other", "svok"},
	} {
		if got := runAs(t, self, argv...); got != svok {
			t.Errorf("%q: %+v, want %+v", argv, got, svok)
		}
	}
	svstat := result{"/no/such: unable to chdir: file does not exist\n", "", 0}
	for _, argv := range [][]string{{"svstat", "/no/such"}, {"svinit", "svstat", "/no/such"}} {
		if got := runAs(t, self, argv...); got != svstat {
			t.Errorf("%q: %+v, want %+v", argv, got, svstat)
		}
	}
	// run is a subcommand under any name of the binary that is not a tool's; a link
	// called run does not start it.
	for _, argv := range [][]string{{"svinit", "run"}, {"other", "run"}, {"/usr/bin/svinit", "run"}} {
		if got := runAs(t, self, argv...); got.code != 100 || !strings.HasPrefix(got.stderr, "svinit: run: usage: svinit run ") {
			t.Errorf("%q: %+v", argv, got)
		}
	}
	// Nor does any other name that is not svinit's start a supervisor.
	for _, argv := range [][]string{{"run", "sh", "-c", "exit 7"}, {"other"}, {"/etc/init.d/other"}, {"svx", "-g", "true"}} {
		const want = " is no tool of svinit, and no service: to supervise, call it svinit\n"
		if got := runAs(t, self, argv...); got.code != 100 || !strings.HasPrefix(got.stderr, "svinit: "+filepath.Base(argv[0])+want) {
			t.Errorf("%q: %+v", argv, got)
		}
	}
	for _, name := range []string{"svinit-1.2", "/init", "old-svinit"} {
		if got := runAs(t, self, name, "sh", "-c", "exit 7"); got.code != 7 {
			t.Errorf("%s: %+v, want exit code 7", name, got)
		}
	}
	// The word after -- is a main program, even if it is the name of a tool.
	for _, argv := range [][]string{{"svinit", "sh", "-c", "exit 7"}, {"svinit", "--", "sh", "-c", "exit 7"}} {
		if got := runAs(t, self, argv...); got.code != 7 {
			t.Errorf("%q: %+v, want exit code 7", argv, got)
		}
	}
	if got := runAs(t, self, "svinit", "--", "no-such-program"); got.code != 127 || !strings.Contains(got.stderr, "no-such-program") {
		t.Errorf("missing main program: %+v", got)
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		args   []string
		code   int
		stdout string // begins with
		stderr string
	}{
		{[]string{"--version"}, 0, "svinit ", ""},
		{[]string{"--help"}, 0, "svinit: PID 1", ""},
		{[]string{"-h"}, 0, "svinit: PID 1", ""},
		{[]string{"help"}, 0, "svinit: PID 1", ""},
		{[]string{"help", "svinit"}, 0, "svinit: PID 1", ""},
		{[]string{"help", "svc"}, 0, "svc: send commands to supervised services\n\nusage: svc [-", ""},
		{[]string{"help", "env"}, 0, "", ""},
		{[]string{"help", "nix"}, 100, "", "svinit: no tool is called \"nix\"\ntools:\n  sv"},
		{[]string{"help", "a", "b"}, 100, "", "svinit: wrong number of arguments after help\nusage: svinit "},
		{[]string{"--version", "x"}, 100, "", "svinit: wrong number of arguments after --version\nusage: svinit "},
		{[]string{"--install"}, 100, "", "svinit: wrong number of arguments after --install\nusage: svinit "},
		{[]string{"--foo"}, 100, "", "svinit: unknown option --foo\nusage: svinit "},
		{[]string{"-x", "svc"}, 100, "", "svinit: unknown option -x\nusage: svinit "},
		{[]string{"-gx", "true"}, 100, "", "svinit: unknown option -gx\nusage: svinit "},
		{[]string{"-", "true"}, 100, "", "svinit: unknown option -\nusage: svinit "},
		{[]string{"-ge"}, 100, "", "svinit: -e takes a value\nusage: svinit "},
		{[]string{"-e", "256", "true"}, 100, "", "svinit: -e: \"256\" is not of the form 143=0"},
		{[]string{"-r15", "true"}, 100, "", "svinit: -r: \"15\" is not of the form TERM=QUIT\nusage: svinit "},
	} {
		got := runAs(t, self, append([]string{"svinit"}, c.args...)...)
		if got.code != c.code || !strings.HasPrefix(got.stdout, c.stdout) || !strings.HasPrefix(got.stderr, c.stderr) ||
			(c.stderr == "") != (got.stderr == "") || (c.code == 0) == (got.stdout == "") {
			t.Errorf("svinit %q: %+v, want %+v", c.args, got, c)
		}
	}
	if env := runAs(t, self, "svinit", "help", "env").stdout; !strings.Contains(env, "SVINIT_SERVICE_DIR") {
		t.Errorf("help env:\n%s", env)
	}
	for _, c := range commands {
		if got := runAs(t, self, "svinit", "help", c.Name); !strings.Contains(got.stdout, c.Help) {
			t.Errorf("help %s: %+v", c.Name, got)
		}
	}
}

func TestInstall(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	links := dir + "/usr/bin" // does not exist yet
	for range 2 {             // the second time the links exist
		if got := runAs(t, exe, "svinit", "--install", links); got != (result{}) {
			t.Fatalf("install: %+v", got)
		}
	}
	for _, c := range commands {
		if c.Subcommand || c.Compat {
			if _, err := os.Lstat(filepath.Join(links, c.Name)); err == nil {
				t.Errorf("%s has a link", c.Name)
			}
		} else if target, err := os.Readlink(filepath.Join(links, c.Name)); err != nil || target != exe {
			t.Errorf("%s: %q, %v, want %q", c.Name, target, err, exe)
		}
	}
	if got := runAs(t, links+"/svok", links+"/svok"); got.stderr != "svok: usage: svok dir\n" {
		t.Errorf("through the link: %+v", got)
	}

	// Links in the directory of the binary are relative: the directory can be moved.
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/svinit", b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, dir+"/same"); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{dir, dir + "/same", dir + "/usr/.."} {
		if got := runAs(t, dir+"/svinit", "svinit", "--install", to); got != (result{}) {
			t.Errorf("install: %+v", got)
		}
		if target, err := os.Readlink(dir + "/svc"); err != nil || target != "svinit" {
			t.Errorf("svc: %q, %v", target, err)
		}
	}
	if got := runAs(t, dir+"/svc", dir+"/svc", "-z"); got.code != 100 {
		t.Errorf("through the link: %+v", got)
	}
}

// TestInstallBlocked checks that other files with the name of a tool are kept.
func TestInstallBlocked(t *testing.T) {
	for what, put := range map[string]func(name string) error{
		"file":          func(name string) error { return os.WriteFile(name, nil, 0o755) },
		"other link":    func(name string) error { return os.Symlink("/bin/sh", name) },
		"dangling link": func(name string) error { return os.Symlink("nowhere", name) },
		"directory":     func(name string) error { return os.Mkdir(name, 0o755) },
	} {
		dir := t.TempDir()
		if err := put(dir + "/svstat"); err != nil {
			t.Fatal(err)
		}
		got := runAs(t, self, "svinit", "--install", dir)
		if got.code != 111 || strings.Count(got.stderr, "\n") != 1 || !strings.HasPrefix(got.stderr, "svinit: fatal: make link "+dir+"/svstat: ") {
			t.Errorf("%s: %+v", what, got)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%s: links were made: %v, %v", what, entries, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := runAs(t, self, "svinit", "--install", dir+"/file"); got.code != 111 || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("not a directory: %+v", got)
	}
}

// TestInitScriptNames calls svinit by the name of a service, as through links in
// /etc/init.d, with all paths that a shell can use.
func TestInitScriptNames(t *testing.T) {
	scan := t.TempDir()
	if err := os.Mkdir(scan+"/chk", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/etc/init.d/chk", "init.d/chk", "./chk", "../chk", "chk"} {
		for args, want := range map[string]result{
			"status":  {"warning: chk: unable to open supervise/ok: file does not exist\n", "", 4},
			"restart": {"warning: chk: unable to open supervise/ok: file does not exist\n", "", 1},
			"":        {"", "usage: chk [-w sec] command\n\n", 2},
			"svinit":  {"", "usage: chk [-w sec] command\n\n", 2},
		} {
			cmd := exec.CommandContext(t.Context(), self)
			cmd.Args = append([]string{name}, strings.Fields(args)...)
			cmd.Env = []string{actAsMain + "=1", "GORACE=atexit_sleep_ms=0", "SVINIT_SERVICE_DIR=" + scan}
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			cmd.Run()
			if got := (result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}); got != want {
				t.Errorf("%s %s: %+v, want %+v", name, args, got, want)
			}
		}
	}
}

// TestHelpOption gives --help to every tool whose original does not take it as an argument.
func TestHelpOption(t *testing.T) {
	for _, c := range commands {
		if c.Compat || c.TextArgs {
			continue
		}
		argv := []string{c.Name, "--help"}
		if c.Subcommand {
			argv = append([]string{binary}, argv...)
		}
		for _, argv := range [][]string{argv, append(argv, "more")} {
			if got := runAs(t, self, argv...); got != (result{stdout: c.HelpText()}) {
				t.Errorf("%q: %+v", argv, got)
			}
		}
	}
}
