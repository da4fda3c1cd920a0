package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A scenario can also run svinit in a container, as docker run does but without an
// engine: in a root directory that has static programs and nothing else, with the
// capabilities that Docker leaves, and with the restrictions that the script asks
// for. The programs are in testdata/program. This needs root and gcc, which is the
// condition "container". The commands are:
//
//	contain [OPTION]... INIT [ARG...]
//	      start INIT in a container; $WORK/root is its root directory and $PID its
//	      process ID; the options are those of confinement.set
//	run CODE [OPTION]... INIT [ARG...]
//	      the same, and wait until it exits with CODE
//	in [-user UID:GID] [-e NAME=VALUE]... [-out REGEXP] CODE CMD...
//	      run a command in the container and under its restrictions, as docker exec
//	      does; check its exit code and all of its output, which is nothing without
//	      -out
//	hears {SIG NUMBER}...
//	      send each signal, and wait for the line "main: got NUMBER"
//	older
//	      wait until svinit is two seconds old
//	obeys
//	      wait for the services a and b, restart a and stop b
//	shutdown [-within DURATION] CODE
//	      send TERM; svinit exits with CODE in less than DURATION (5s)
//	over [-least DURATION] [-within DURATION] CODE
//	      svinit exits by itself with CODE, at least and in less than so long after
//	      the line "main: over" (0s and 1s)
//	says [LINE...]
//	      besides the lines of the programs, the output has lines that match these,
//	      each exactly once, and no others

// scratchDir is the directory that scratch has made. TestScenarios removes it.
var scratchDir string

// scratch makes the root directory that each container gets a copy of.
var scratch = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "svinit-scratch-"); err != nil {
		return "", err
	}
	scratchDir = dir
	file := func(name, text string, mode os.FileMode) error {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, []byte(text), mode)
	}
	service := func(name string) error {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		return os.Symlink("/hostile", path+"/run")
	}
	bin := filepath.Join(dir, "usr/local/bin")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w"+entryFlag(), "-o", bin+"/svinit", ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	commands := []*exec.Cmd{
		build,
		exec.Command(bin+"/svinit", "--install", bin),
		exec.Command(bin+"/svinit", "--install", "--compat", bin),
		exec.Command("gcc", "-static", "-O1", "-Wall", "-o", dir+"/hostile", root+"/testdata/program/hostile.c"),
		exec.Command("gcc", "-static", "-O1", "-Wall", "-o", dir+"/plain", root+"/testdata/program/plain.c"),
	}
	for _, cmd := range commands {
		if out, err := cmd.CombinedOutput(); err != nil {
			return dir, fmt.Errorf("%s: %w: %s", cmd, err, out)
		}
	}
	const line = "#!/usr/local/bin/svinit run\n"
	err = cmp.Or(
		service("two/a"), service("two/b"), service("two/b/log"), service("one/a"),
		file("scripts/a/run", line+"svstat \"${NONE:-/none}\" >said\nexec /hostile\n", 0o755),
		file("scripts/b/run", line+"exec 2>&1\nexport PATH=/none USER=12345\nexec chpst -u \":$USER:$USER\" softlimit -o 50 /hostile\n", 0o755),
		file("scripts/b/log/run", line+"export PATH=/none\nexec multilog t ./main\n", 0o755),
		file("no/program", "nothing to execute\n", 0o644),
	)
	return dir, cmp.Or(err, os.Chmod(dir, 0o755))
})

// entryFlag returns the option of the linker that the Makefile has.
func entryFlag() string {
	if runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64" {
		return " -E svinit/reaper/inherit.entry"
	}
	return ""
}

// hasContainers is the condition "container" of a script.
func hasContainers() bool {
	_, err := exec.LookPath("gcc")
	return os.Geteuid() == 0 && err == nil
}

// recorder writes a container's output to the log of a scenario, and records when
// the line "main: over" came.
type recorder struct {
	file *os.File
	text []byte
	over time.Time
}

func (r *recorder) Write(p []byte) (int, error) {
	r.text = append(r.text, p...)
	if r.over.IsZero() && strings.Contains("\n"+string(r.text), "\nmain: over\n") {
		r.over = time.Now()
	}
	return r.file.Write(p)
}

func contain(ts *testscript.TestScript, neg bool, args []string) {
	b := instanceOf(ts)
	if b.cmd != nil {
		ts.Fatalf("svinit is already running")
	}
	var c confinement
	options := flag.NewFlagSet("contain", flag.ContinueOnError)
	c.set(options)
	ts.Check(options.Parse(args))
	b.options = args[:len(args)-options.NArg()]
	dir, err := scratch()
	ts.Check(err)
	root := ts.MkAbs("root")
	ts.Check(os.RemoveAll(root))
	ts.Check(ts.Exec("cp", "-a", dir, root))
	b.log = ts.MkAbs("log")
	log, err := os.Create(b.log)
	ts.Check(err)
	ts.Defer(func() { log.Close() })
	path, err := exec.LookPath("confine")
	ts.Check(err)
	b.output = &recorder{file: log}
	cmd := exec.Command(path, append([]string{"-root", root}, args...)...)
	cmd.Args[0] = "confine"
	cmd.Stdout, cmd.Stderr = b.output, b.output // the same pipe, as Docker has it without -t
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS | syscall.CLONE_NEWNET,
		Setsid:     true,
	}
	ts.Check(cmd.Start())
	b.started = time.Now()
	ts.Setenv("PID", fmt.Sprint(cmd.Process.Pid))
	b.follow(ts, cmd)
}

// run runs a container to its end.
func run(ts *testscript.TestScript, neg bool, args []string) {
	contain(ts, false, args[1:])
	checkExit(ts, false, args[:1])
}

// inContainer runs a command in the container, with more options than those of the
// container, and returns its output and exit code.
func inContainer(ts *testscript.TestScript, more, args []string) (string, int) {
	path, err := exec.LookPath("attach")
	ts.Check(err)
	cmd := exec.Command(path, slices.Concat([]string{ts.Getenv("PID")}, instanceOf(ts).options, more, []string{"--"}, args)...)
	cmd.Args[0] = "attach"
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // otherwise an exit takes a second under the race detector
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		ts.Fatalf("%v", err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// in runs a command in the container and checks its exit code and output.
func in(ts *testscript.TestScript, neg bool, args []string) {
	var want string
	var more []string
	options := flag.NewFlagSet("in", flag.ContinueOnError)
	options.StringVar(&want, "out", "", "")
	for _, name := range []string{"user", "e"} {
		options.Func(name, "", func(s string) error { more = append(more, "-"+name, s); return nil })
	}
	ts.Check(options.Parse(args))
	args = options.Args()
	out, code := inContainer(ts, more, args[1:])
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s; it wrote\n%s", code, args[0], out)
	}
	if !regexp.MustCompile("^(?:" + want + ")$").MatchString(strings.TrimSuffix(out, "\n")) {
		ts.Fatalf("it wrote\n%s, want %q", out, want)
	}
}

func hears(ts *testscript.TestScript, neg bool, args []string) {
	for ; len(args) > 0; args = args[2:] {
		sendSignal(ts, false, args[:1])
		checkLog(ts, false, []string{"^main: got " + args[1] + "$"})
	}
}

// older waits until svinit is two seconds old. After one second it looks for
// services, and later it returns memory to the kernel.
func older(ts *testscript.TestScript, neg bool, args []string) {
	<-time.After(time.Until(instanceOf(ts).started.Add(2 * time.Second)))
}

// obeys checks that svc -t restarts the service a, and that svc -d stops b.
func obeys(ts *testscript.TestScript, neg bool, args []string) {
	up := regexp.MustCompile(`^\w: up \(pid ([0-9]+)\) [0-9]+ seconds\n$`)
	down := regexp.MustCompile(`^\w: down [0-9]+ seconds, normally up\n$`)
	tool := func(args ...string) string { out, _ := inContainer(ts, nil, args); return out }
	await := func(name string, ok func(string) bool) {
		var out string
		if !poll(func() bool { out = tool("svstat", name); return ok(out) }) {
			text, _ := os.ReadFile(instanceOf(ts).log)
			ts.Fatalf("svstat prints\n%s\nsvinit wrote\n%s", out, text)
		}
	}
	await("a", up.MatchString)
	await("b", up.MatchString)
	old := up.FindStringSubmatch(tool("svstat", "a"))
	if old == nil {
		ts.Fatalf("a is not up")
	}
	if out := tool("svc", "-t", "a"); out != "" {
		ts.Fatalf("svc -t a: %s", out)
	}
	await("a", func(out string) bool { pid := up.FindStringSubmatch(out); return pid != nil && pid[1] != old[1] })
	if out := tool("svc", "-d", "b"); out != "" {
		ts.Fatalf("svc -d b: %s", out)
	}
	await("b", down.MatchString)
}

// limits are the options of shutdown and over.
func limits(ts *testscript.TestScript, within time.Duration, args []string) (least, most time.Duration, code []string) {
	options := flag.NewFlagSet("", flag.ContinueOnError)
	options.DurationVar(&least, "least", 0, "")
	options.DurationVar(&most, "within", within, "")
	ts.Check(options.Parse(args))
	return least, most, options.Args()
}

func shutDown(ts *testscript.TestScript, neg bool, args []string) {
	_, most, code := limits(ts, 5*time.Second, args)
	began := time.Now()
	sendSignal(ts, false, []string{"TERM"})
	checkExit(ts, false, code)
	if took := instanceOf(ts).ended.Sub(began); took >= most {
		ts.Fatalf("the stop took %s", took)
	}
}

func over(ts *testscript.TestScript, neg bool, args []string) {
	least, most, code := limits(ts, time.Second, args)
	checkExit(ts, false, code)
	b := instanceOf(ts)
	if b.output.over.IsZero() {
		ts.Fatalf("there is no line main: over")
	}
	if took := b.ended.Sub(b.output.over); took < least || took >= most {
		ts.Fatalf("it ended %s after the main program", took)
	}
}

// ownLines matches the lines that says ignores: those of the programs in
// testdata/program, and a warning that comes when other programs on this machine
// have taken all of root's inotify instances.
var ownLines = regexp.MustCompile(`^(?:(?:(?:a|b/log|c): )?up|(?:main|orphan): .*|svinit: warning: unable to watch .*: inotify_init1: too many open files; .*)$`)

func says(ts *testscript.TestScript, neg bool, args []string) {
	text, err := os.ReadFile(instanceOf(ts).log)
	ts.Check(err)
	var rest []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSuffix(line, "\n"); !ownLines.MatchString(line) {
			rest = append(rest, line)
		}
	}
	for _, want := range args {
		re := regexp.MustCompile("^(?:" + want + ")$")
		others := slices.DeleteFunc(slices.Clone(rest), re.MatchString)
		if len(rest)-len(others) != 1 {
			ts.Fatalf("not exactly once: %s; svinit wrote\n%s", want, text)
		}
		rest = others
	}
	if len(rest) > 0 {
		ts.Fatalf("svinit also wrote %q", rest)
	}
}
