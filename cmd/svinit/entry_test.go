package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEntry tests what the entry of package reaper/inherit does, and that a program
// without it works.
func TestEntry(t *testing.T) {
	if entryFlag() == "" {
		t.Skip("there is no entry on " + runtime.GOARCH)
	}
	with := t.TempDir() + "/svinit"
	build := exec.Command("go", "build", "-ldflags", "-s -w"+entryFlag(), "-o", with, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	without := t.TempDir() + "/svinit"
	if err := os.Symlink(executable(t), without); err != nil {
		t.Fatal(err)
	}
	t.Run("early TERM", func(t *testing.T) { earlyTerm(t, with) })
	t.Run("signals", func(t *testing.T) { givenSignals(t, with) })
	t.Run("directory", func(t *testing.T) {
		ownDirectory(t, with)
		ownDirectory(t, without)
	})
	t.Run("limit", func(t *testing.T) {
		openFiles(t, with)
		openFiles(t, without)
	})
}

// newPIDNamespace makes a command PID 1.
func newPIDNamespace(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
}

// earlyTerm sends PID 1 TERM at any time of its start. It is lost, as for any
// program, if it comes before the first instruction: the kernel ignores it for PID 1.
// Later it reaches the main program, and in no case it ends PID 1.
func earlyTerm(t *testing.T, svinit string) {
	const times, start = 300, 5 * time.Millisecond
	one := func() error {
		cmd := exec.Command(svinit, "sh", "-c", "echo ready; exec sleep 1000")
		cmd.Env = append(os.Environ(), "SVINIT_SERVICE_DIR=")
		newPIDNamespace(cmd)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start() // returns after execve
		}
		if err != nil {
			return err
		}
		delay := rand.N(start)
		for end := time.Now().Add(delay); time.Now().Before(end); {
			runtime.Gosched()
		}
		cmd.Process.Signal(syscall.SIGTERM)
		if line, _ := bufio.NewReader(out).ReadString('\n'); line != "" {
			// Either that was too early, or the main program has it by now.
			cmd.Process.Signal(syscall.SIGTERM)
		}
		io.Copy(io.Discard, out)
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 128+int(syscall.SIGTERM) {
			return fmt.Errorf("TERM after %v: exit code %d", delay, code)
		}
		return nil
	}
	for range times {
		if err := one(); err != nil {
			t.Fatal(err)
		}
	}
}

// givenSignals checks that a main program and the program of a chain tool have the
// signal mask and the ignored signals that svinit was given.
func givenSignals(t *testing.T, svinit string) {
	blocked := []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPROF, syscall.SIGTTIN, 34, 64}
	ignored := []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR2, syscall.SIGPIPE, syscall.SIGCHLD, syscall.SIGWINCH, syscall.SIGTTOU, syscall.SIGTSTP, 35, 63}
	const grep = `exec grep -E "SigBlk|SigIgn" /proc/self/status`
	given := func(asPID1 bool, args ...string) string {
		// env executes its arguments with the signals of its options. The signals that
		// it cannot name have numbers.
		list := func(signals []syscall.Signal) string {
			return strings.Trim(strings.ReplaceAll(fmt.Sprintf("%d", signals), " ", ","), "[]")
		}
		argv := []string{"--default-signal", "--ignore-signal=" + list(ignored), "--block-signal=" + list(blocked)}
		cmd := exec.Command("env", append(argv, args...)...)
		cmd.Env = append(os.Environ(), "SVINIT_SERVICE_DIR=")
		if asPID1 {
			newPIDNamespace(cmd)
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%q: %v", args, err)
		}
		return string(out)
	}
	want := given(false, "sh", "-c", grep)
	for _, asPID1 := range []bool{false, true} {
		for _, c := range [][]string{
			{"--", "sh", "-c", grep},
			{"pgrphack", "sh", "-c", grep},
			{"envdir", "/var/empty/..", "sh", "-c", grep},
			{"chpst", "-P", "sh", "-c", grep},
		} {
			if c[0] == "envdir" {
				c[1] = t.TempDir()
			}
			if got := given(asPID1, append([]string{svinit}, c...)...); got != want {
				t.Errorf("as PID 1: %v: %q\ngot\n%s\nwant\n%s", asPID1, c, got, want)
			}
		}
	}
}

// ownDirectory checks that the main program finds svinit in / and itself where svinit
// was started, also if its name in PATH is relative and an earlier one fails.
func ownDirectory(t *testing.T, svinit string) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a/tool": "#!/nonexistent\n", "b/tool": "#!/bin/sh\nreadlink /proc/$PPID/cwd\npwd -P\n"} {
		if err := errors.Join(os.Mkdir(dir+"/"+name[:1], 0o755), os.WriteFile(dir+"/"+name, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	for range 30 {
		cmd := exec.Command(svinit, "--", "tool")
		cmd.Args[0] = "svinit"
		cmd.Dir = dir
		cmd.Env = []string{"SVINIT_SERVICE_DIR=", "PATH=a:./b:/bin"}
		if out, err := cmd.CombinedOutput(); string(out) != "/\n"+dir+"\n" || err != nil {
			t.Fatalf("%q, %v", out, err)
		}
	}
}

// openFiles checks that a limit below the room that the entry makes is no problem, that
// no inherited descriptor is lost by that, and that the main program has its limit.
func openFiles(t *testing.T, svinit string) {
	const script = `ulimit -Sn $1; exec 5<"$2"; exec $3 sh -c 'ulimit -Sn; cat <&5; ls /proc/self/fd'`
	for _, limit := range []int{20, 64, 1024, 1025} {
		file := t.TempDir() + "/file"
		if err := os.WriteFile(file, []byte("kept\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		run := func(init string) string {
			cmd := exec.Command("sh", "-c", script, "sh", fmt.Sprint(limit), file, init)
			cmd.Env = append(os.Environ(), "SVINIT_SERVICE_DIR=")
			out, err := cmd.CombinedOutput()
			return fmt.Sprintf("%s%v", out, err)
		}
		if got, want := run(svinit+" --"), run(""); got != want {
			t.Errorf("limit %d: %q, want %q", limit, got, want)
		}
	}
}

// executable returns the path of this program.
func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
