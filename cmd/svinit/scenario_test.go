package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"svinit/init/foreground"
	"svinit/services/signame"
)

// The scenarios in testdata/script run svinit as PID 1 of a new PID namespace, with
// real services. The test binary acts as svinit and as all of its tools. The
// scenarios have these commands besides those of testscript:
//
//	boot [-p|-s] [-e NAME=VALUE]... [ARG...]  start svinit ARG... as PID 1, with
//	                       SVINIT_SERVICE_DIR=$WORK/service; $USERID, $NPROC and
//	                       $NOFILE, if set, are its user ID and limits; with -p its
//	                       output is a pipe, with -s one whose reader stalls
//	flow                   let that reader read
//	signal SIG             send it a signal, from outside of the namespace
//	ended CODE             wait until it exits, and check its exit code
//	said REGEXP            wait until its output matches (the file log has all
//	                       output)
//	await REGEXP CMD...    repeat a command until its output matches
//	inside CMD...          run a command in its namespaces, as svc, svok, svstat,
//	                       svwait and sv always are: they command only what runs
//	                       in their own
//	mkfull DIR             mount a small, full file system
//	lease FILE             hold a write lease on a file, so that its execve(2)
//	                       hangs; ! lease FILE gives it back
//	fuse DIR BACKING       show the directory BACKING at DIR through FUSE
//	hang DIR               make that file system hang; ! hang DIR ends it
//
// Every wait is for an event or a condition, and ends after waitTimeout.
const waitTimeout = 20 * time.Second

func TestMain(m *testing.M) {
	programs := map[string]func(){
		"svinit":              main,
		foreground.ListenShim: main,
		"enter":               enterNamespaces,
		"wreck":               makeOrphans,
		"confine":             confine,
		"attach":              attach,
		"lines":               writeLines,
	}
	for _, c := range commands {
		if c.Subcommand {
			continue
		}
		programs[c.Name] = main
	}
	for _, client := range []string{"svc", "svok", "svstat", "svwait", "sv"} {
		programs[client] = clientMain
	}
	testscript.Main(m, programs)
}

func TestScenarios(t *testing.T) {
	t.Cleanup(func() { os.RemoveAll(scratchDir) })
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("SVINIT_SERVICE_DIR", env.WorkDir+"/service")
			env.Setenv("SVINIT_STATE_DIR", env.WorkDir+"/state")
			env.Setenv("KILLING", `svinit: warning: unable to stop orphaned processes in time: killing plain \(pid [0-9]+\)(, plain \(pid [0-9]+\))*( and [0-9]+ more)?`)
			env.Setenv("UNUSEDID", fmt.Sprint(100000+os.Getpid())) // a user without other processes
			env.Setenv("GORACE", "atexit_sleep_ms=0")              // otherwise each tool takes a second under the race detector
			env.Values[instanceKey{}] = &instance{leases: make(map[string]*os.File), fuse: make(map[string]*fuseServer)}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"boot":   boot,
			"signal": sendSignal,
			"ended":  checkExit,
			"said":   checkLog,
			"await":  awaitOutput,
			"inside": inside,
			"mkfull": mkfull,
			"lease":  lease,
			"flow":   func(ts *testscript.TestScript, neg bool, args []string) { instanceOf(ts).flow() },
			"fuse":   showFUSE,
			"hang":   hangFUSE,

			"contain":  contain,
			"run":      run,
			"in":       in,
			"hears":    hears,
			"obeys":    obeys,
			"shutdown": shutDown,
			"over":     over,
			"older":    older,
			"says":     says,
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "fuse":
				return hasFUSE(), nil
			case "container":
				return hasContainers(), nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
	})
}

// instanceKey is the key of the svinit of a script in testscript.Env.Values.
type instanceKey struct{}

// instance is a svinit that runs as PID 1, or has exited (cmd is nil).
type instance struct {
	cmd     *exec.Cmd
	log     string
	done    chan error
	leases  map[string]*os.File
	fuse    map[string]*fuseServer // by directory
	ended   time.Time              // when it exited, after done
	copied  <-chan struct{}        // closed when all output is in the log; nil where it goes there directly
	flowing chan struct{}          // closed when the reader of a pipe reads

	// Of a container.
	options []string
	started time.Time
	output  *recorder
}

func instanceOf(ts *testscript.TestScript) *instance { return ts.Value(instanceKey{}).(*instance) }

// enterNamespaces is the program that boot starts in the new namespaces: it mounts
// /proc and executes svinit.
func enterNamespaces() {
	for _, m := range []struct {
		what, where, kind string
		flags             uintptr
	}{
		{"", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{"proc", "/proc", "proc", 0},
	} {
		if err := syscall.Mount(m.what, m.where, m.kind, m.flags, ""); err != nil {
			fmt.Fprintln(os.Stderr, "mount", m.where, err)
			os.Exit(99)
		}
	}
	unix.Setpriority(unix.PRIO_PROCESS, 0, 0) // these tests may run under nice
	path, err := exec.LookPath("svinit")
	for _, l := range []struct {
		name  string
		which int
	}{{"NPROC", unix.RLIMIT_NPROC}, {"NOFILE", unix.RLIMIT_NOFILE}} {
		if n, nerr := strconv.ParseUint(os.Getenv(l.name), 10, 64); nerr == nil && err == nil {
			err = syscall.Setrlimit(l.which, &syscall.Rlimit{Cur: n, Max: n})
		}
	}
	if uid, uerr := strconv.Atoi(os.Getenv("USERID")); uerr == nil && err == nil {
		// That user has no access to the directory of the test's programs.
		var fd int
		if fd, err = unix.Open(path, unix.O_PATH, 0); err == nil {
			path = fmt.Sprint("/proc/self/fd/", fd)
			err = syscall.Setuid(uid)
		}
	}
	if err == nil {
		err = syscall.Exec(path, append([]string{"svinit"}, os.Args[1:]...), os.Environ())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(99)
}

func boot(ts *testscript.TestScript, neg bool, args []string) {
	b := instanceOf(ts)
	env := os.Environ()
	env = append(env, "PATH="+ts.Getenv("PATH"), "WORK="+ts.Getenv("WORK"),
		"SVINIT_SERVICE_DIR="+ts.Getenv("SVINIT_SERVICE_DIR"), "SVINIT_STATE_DIR="+ts.Getenv("SVINIT_STATE_DIR"))
	byPipe, stalls := false, false
	if len(args) > 0 && (args[0] == "-p" || args[0] == "-s") {
		byPipe, stalls = true, args[0] == "-s"
		args = args[1:]
	}
	for len(args) > 1 && args[0] == "-e" {
		env = append(env, args[1])
		args = args[2:]
	}
	path, err := exec.LookPath("enter")
	ts.Check(err)
	b.log = ts.MkAbs("log")
	log, err := os.OpenFile(b.log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o644)
	ts.Check(err)
	defer log.Close()
	cmd := exec.Command(path, args...)
	cmd.Args[0] = "enter"
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = env
	out := log
	b.copied, b.flowing = nil, nil
	if byPipe {
		b.flowing = make(chan struct{})
		out, b.copied = pipeTo(ts, b.log, b.flowing)
		defer out.Close()
		if !stalls {
			b.flow()
		}
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Setsid:     true, // so that it has no controlling terminal
	}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	ts.Check(cmd.Start())
	b.follow(ts, cmd)
}

// follow waits for the end of cmd, which has been started, and kills it at the end
// of the script.
func (b *instance) follow(ts *testscript.TestScript, cmd *exec.Cmd) {
	b.cmd, b.done = cmd, make(chan error, 1)
	ts.Setenv(clientEnv, fmt.Sprint(cmd.Process.Pid))
	done, copied := b.done, b.copied
	go func() {
		err := cmd.Wait()
		b.ended = time.Now()
		if copied != nil {
			<-copied
		}
		done <- err
	}()
	ts.Defer(func() {
		if b.cmd != nil {
			b.cmd.Process.Kill() // the kernel then kills all processes in the namespace
			b.flow()
			<-b.done
			b.cmd = nil
		}
		text, _ := os.ReadFile(b.log)
		if bytes.Contains(text, []byte("a bug of svinit")) || bytes.Contains(text, []byte("DATA RACE")) || bytes.Contains(text, []byte("panic:")) {
			ts.Fatalf("svinit wrote\n%s", text)
		}
	})
}

// pipeTo returns the write end of a pipe whose reader appends to a file once begin
// is closed, and a channel that is closed when it has read the end.
func pipeTo(ts *testscript.TestScript, file string, begin <-chan struct{}) (w *os.File, copied chan struct{}) {
	r, w, err := os.Pipe()
	ts.Check(err)
	to, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0)
	ts.Check(err)
	copied = make(chan struct{})
	go func() {
		defer close(copied)
		defer r.Close()
		defer to.Close()
		<-begin
		io.Copy(to, r)
	}()
	return w, copied
}

// flow lets the reader of a pipe begin.
func (b *instance) flow() {
	if b.flowing != nil {
		close(b.flowing)
		b.flowing = nil
	}
}

func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	sig, err := signame.Parse(args[0])
	ts.Check(err)
	ts.Check(instanceOf(ts).cmd.Process.Signal(sig))
}

func checkExit(ts *testscript.TestScript, neg bool, args []string) {
	b := instanceOf(ts)
	select {
	case err := <-b.done:
		b.cmd = nil
		ts.Setenv(clientEnv, "")
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		if got := fmt.Sprint(code); got != args[0] {
			ts.Fatalf("exit code %s, want %s", got, args[0])
		}
	case <-time.After(waitTimeout):
		text, _ := os.ReadFile(b.log)
		ts.Fatalf("svinit has not ended; it wrote\n%s", text)
	}
}

// poll calls ok until it returns true, and returns false after waitTimeout.
func poll(ok func() bool) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(waitTimeout); !ok(); {
		select {
		case <-end:
			return false
		case <-tick.C:
		}
	}
	return true
}

func checkLog(ts *testscript.TestScript, neg bool, args []string) {
	b := instanceOf(ts)
	re := regexp.MustCompile("(?m)" + args[0])
	if neg {
		if text, _ := os.ReadFile(b.log); re.Match(text) {
			ts.Fatalf("svinit wrote\n%s", text)
		}
		return
	}
	var text []byte
	if !poll(func() bool { text, _ = os.ReadFile(b.log); return re.Match(text) }) {
		ts.Fatalf("svinit has not written %q but\n%s", args[0], text)
	}
}

func awaitOutput(ts *testscript.TestScript, neg bool, args []string) {
	re := regexp.MustCompile("(?m)" + args[0])
	var out string
	if !poll(func() bool { out = output(ts, args[1:]); return re.MatchString(out) != neg }) {
		text, _ := os.ReadFile(instanceOf(ts).log)
		ts.Fatalf("%q prints\n%s\nsvinit wrote\n%s", args[1:], out, text)
	}
}

// output runs a command and returns its standard output and error.
func output(ts *testscript.TestScript, args []string) string {
	switch args[0] {
	case "in":
		out, _ := inContainer(ts, nil, args[1:])
		return out
	case "inside":
		args = append(nsenter(ts), args[1:]...)
	}
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Args[0] = filepath.Base(args[0])
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "SVINIT_SERVICE_DIR="+ts.Getenv("SVINIT_SERVICE_DIR"), "SVINIT_STATE_DIR="+ts.Getenv("SVINIT_STATE_DIR"), clientEnv+"="+ts.Getenv(clientEnv))
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// nsenter returns the command that enters svinit's namespaces.
func nsenter(ts *testscript.TestScript) []string {
	pid := fmt.Sprint(instanceOf(ts).cmd.Process.Pid)
	return append(nsenterArgs(pid), "--wd="+ts.MkAbs("."), "env", clientEnv+"=")
}

func inside(ts *testscript.TestScript, neg bool, args []string) {
	args = append(nsenter(ts), args...)
	if err := ts.Exec(args[0], args[1:]...); (err != nil) != neg {
		ts.Fatalf("%q: %v", args, err)
	}
}

// mkfull mounts a file system on a directory and fills it. It needs root.
func mkfull(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8k,mode=755"))
	ts.Defer(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	f, err := os.Create(dir + "/filler")
	ts.Check(err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		ts.Fatalf("filling %s: %v", dir, err)
	}
}
