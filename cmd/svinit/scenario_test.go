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

// The scenarios of testdata/script run svinit as PID 1 of a PID namespace of
// its own, with real services in it. The test binary is svinit, under every
// one of its names. Beside testscript's commands they have:
//
//	boot [-e NAME=VALUE]... [ARG...]  start svinit ARG… as PID 1, with
//	                       SVINIT_SERVICE_DIR=$WORK/service; $USERID, $NPROC and
//	                       $NOFILE, when set, are its user id and limits
//	signal SIG             send it a signal, from outside
//	ended CODE             wait for its end, and its exit code
//	said REGEXP            wait until it has written this (all that it wrote is
//	                       in the file log)
//	await REGEXP CMD...    run a command again and again until it prints this
//	inside CMD...          run a command in its namespaces
//	mkfull DIR             a file system of 1 page, full
//
// Nothing waits for a time; every wait has a bound of patience.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	programs := map[string]func(){
		"svinit":              main,
		foreground.ListenShim: main,
		"enter":               enter,
		"wreck":               wreck,
	}
	for _, c := range commands {
		if c.Sub {
			continue
		}
		programs[c.Name] = main
	}
	testscript.Main(m, programs)
}

func TestScenarios(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("SVINIT_SERVICE_DIR", env.WorkDir+"/service")
			env.Setenv("SVINIT_STATE_DIR", env.WorkDir+"/state")
			env.Values[pidOne{}] = &booted{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"boot":   boot,
			"signal": sendSignal,
			"ended":  ended,
			"said":   said,
			"await":  awaitOutput,
			"inside": inside,
			"mkfull": mkfull,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
	})
}

// pidOne is the key of a script's svinit.
type pidOne struct{}

// booted is a svinit that runs, or ran.
type booted struct {
	cmd  *exec.Cmd
	log  string
	done chan error
}

func of(ts *testscript.TestScript) *booted { return ts.Value(pidOne{}).(*booted) }

// enter is the program that becomes PID 1: it has the new namespaces, mounts
// their /proc and executes svinit.
func enter() {
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
		// That user may not look into the directory of the test's programs.
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
	b := of(ts)
	env := os.Environ()
	env = append(env, "PATH="+ts.Getenv("PATH"), "WORK="+ts.Getenv("WORK"),
		"SVINIT_SERVICE_DIR="+ts.Getenv("SVINIT_SERVICE_DIR"), "SVINIT_STATE_DIR="+ts.Getenv("SVINIT_STATE_DIR"))
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
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Setsid:     true, // so that a terminal of the tester's is not its own
	}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	ts.Check(cmd.Start())
	b.cmd, b.done = cmd, make(chan error, 1)
	go func() { b.done <- cmd.Wait() }()
	ts.Defer(func() {
		if b.cmd != nil {
			b.cmd.Process.Kill() // and the kernel all that is in the namespace
			<-b.done
			b.cmd = nil
		}
		text, _ := os.ReadFile(b.log)
		if bytes.Contains(text, []byte("a bug of svinit")) || bytes.Contains(text, []byte("DATA RACE")) || bytes.Contains(text, []byte("panic:")) {
			ts.Fatalf("svinit wrote\n%s", text)
		}
	})
}

func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	sig, err := signame.Parse(args[0])
	ts.Check(err)
	ts.Check(of(ts).cmd.Process.Signal(sig))
}

func ended(ts *testscript.TestScript, neg bool, args []string) {
	b := of(ts)
	select {
	case err := <-b.done:
		b.cmd = nil
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		if got := fmt.Sprint(code); got != args[0] {
			ts.Fatalf("exit code %s, want %s", got, args[0])
		}
	case <-time.After(patience):
		text, _ := os.ReadFile(b.log)
		ts.Fatalf("svinit has not ended; it wrote\n%s", text)
	}
}

// retry asks again and again, and gives up when patience is at its end.
func retry(ok func() bool) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); !ok(); {
		select {
		case <-end:
			return false
		case <-tick.C:
		}
	}
	return true
}

func said(ts *testscript.TestScript, neg bool, args []string) {
	b := of(ts)
	re := regexp.MustCompile("(?m)" + args[0])
	if neg {
		if text, _ := os.ReadFile(b.log); re.Match(text) {
			ts.Fatalf("svinit wrote\n%s", text)
		}
		return
	}
	var text []byte
	if !retry(func() bool { text, _ = os.ReadFile(b.log); return re.Match(text) }) {
		ts.Fatalf("svinit has not written %q but\n%s", args[0], text)
	}
}

func awaitOutput(ts *testscript.TestScript, neg bool, args []string) {
	re := regexp.MustCompile("(?m)" + args[0])
	var out string
	if !retry(func() bool { out = output(ts, args[1:]); return re.MatchString(out) != neg }) {
		text, _ := os.ReadFile(of(ts).log)
		ts.Fatalf("%q prints\n%s\nsvinit wrote\n%s", args[1:], out, text)
	}
}

// output runs a command and returns what it printed on both streams.
func output(ts *testscript.TestScript, args []string) string {
	if args[0] == "inside" {
		args = append(nsenter(ts), args[1:]...)
	}
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Args[0] = filepath.Base(args[0])
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "SVINIT_SERVICE_DIR="+ts.Getenv("SVINIT_SERVICE_DIR"), "SVINIT_STATE_DIR="+ts.Getenv("SVINIT_STATE_DIR"))
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// nsenter is the command that enters svinit's namespaces.
func nsenter(ts *testscript.TestScript) []string {
	pid := fmt.Sprint(of(ts).cmd.Process.Pid)
	if os.Geteuid() == 0 {
		return []string{"nsenter", "-t", pid, "-p", "-m", "--wd=" + ts.MkAbs(".")}
	}
	return []string{"nsenter", "-t", pid, "-U", "--preserve-credentials", "-p", "-m", "--wd=" + ts.MkAbs(".")}
}

func inside(ts *testscript.TestScript, neg bool, args []string) {
	args = append(nsenter(ts), args...)
	if err := ts.Exec(args[0], args[1:]...); (err != nil) != neg {
		ts.Fatalf("%q: %v", args, err)
	}
}

// mkfull mounts a file system on a directory and fills it. Root only.
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

// wreck is the program that makes 2,000 orphans: each a child of a child that
// has ended.
func wreck() {
	n, _ := strconv.Atoi(os.Args[1])
	null, _ := os.OpenFile("/dev/null", os.O_RDWR, 0)
	for range n {
		cmd := exec.Command("/bin/sh", "-c", "true & exit 0")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = null, null, null
		if err := cmd.Run(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	io.WriteString(os.Stdout, "wrecked\n")
}
