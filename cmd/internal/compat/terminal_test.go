package compat

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/difftest"
	"svinit/reaper/proc"
)

// terminal is a program on a terminal, with the master side of it.
type terminal struct {
	t         *testing.T
	cmd       *exec.Cmd
	master    *os.File
	output    chan string
	pending   string // output after the last text that was waited for
	all       string
	questions int // how many commands askShell has sent
}

// openTerminal starts the program at path as the leader of a session with a new terminal.
func openTerminal(t *testing.T, pidOne bool, path string, argv ...string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	var n int
	if err == nil {
		n, err = unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	}
	var slave *os.File
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(errors.Join(errors.New("make a terminal"), err))
	}
	s := &terminal{t: t, master: master, output: make(chan string, 1000)}
	s.cmd = &exec.Cmd{Path: path, Args: argv, Stdin: slave, Stdout: slave, Stderr: slave, Dir: t.TempDir(),
		Env:         []string{"PATH=" + os.Getenv("PATH"), "PS1=READY ", "TERM=dumb", "HISTFILE=", "SVINIT_SERVICE_DIR=", "SVINIT_BINARY=" + difftest.Binary()},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: true}}
	if argv[0] == "svinit-setsid" {
		s.cmd.Args[0] = "svinit"
		s.cmd.Env = append(s.cmd.Env, "SVINIT_SETSID=1")
	}
	if pidOne {
		s.cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			if n > 0 {
				s.output <- string(buf[:n])
			}
			if err != nil { // EIO when no process has the slave side open
				close(s.output)
				return
			}
		}
	}()
	late := time.AfterFunc(2*testTimeout, func() { s.cmd.Process.Kill() })
	t.Cleanup(func() {
		late.Stop()
		s.cmd.Process.Kill()
		s.cmd.Wait()
		master.Close()
	})
	return s
}

func (s *terminal) write(text string) {
	s.t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// waitOutput waits for a text.
func (s *terminal) waitOutput(text string) {
	s.t.Helper()
	limit := time.After(testTimeout)
	for {
		if _, after, ok := strings.Cut(s.pending, text); ok {
			s.pending = after
			return
		}
		select {
		case more, ok := <-s.output:
			if !ok {
				s.t.Fatalf("no %q on the terminal, but\n%s", text, s.all)
			}
			s.pending += more
			s.all += more
		case <-limit:
			s.t.Fatalf("no %q on the terminal, but\n%s", text, s.all)
		}
	}
}

// foreground waits until the leader of the foreground process group has this name, and
// returns its pid.
func (s *terminal) foreground(name string) (pid int) {
	s.t.Helper()
	waitFor(s.t, name+" in the foreground", func() bool {
		pid, _ = unix.IoctlGetInt(int(s.master.Fd()), unix.TIOCGPGRP)
		return proc.Name(pid) == name
	})
	return pid
}

// askShell repeats a command in the shell until its output contains a text.
func (s *terminal) askShell(command, text string) {
	s.t.Helper()
	for begin, limit := len(s.all), time.Now().Add(testTimeout); !strings.Contains(s.all[begin:], text); {
		if time.Now().After(limit) {
			s.t.Fatalf("%q: no %q on the terminal, but\n%s", command, text, s.all)
		}
		s.questions++ // o''k, to tell the output from the terminal's echo of the command
		s.write(fmt.Sprintf("%s\necho o''k %d\n", command, s.questions))
		s.waitOutput(fmt.Sprintf("ok %d\r\n", s.questions))
		s.waitOutput("READY ")
	}
}

// checkExit waits until the program exits, and checks its exit code.
func (s *terminal) checkExit(code int) {
	s.t.Helper()
	for range s.output {
	}
	s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("%s: exit code %d, want %d", s.cmd.Args, got, code)
	}
}

const (
	ctrlC = "\x03"
	ctrlD = "\x04"
	ctrlZ = "\x1a"
)

// initCommands are the inits under which programs are started on a terminal.
var initCommands = [][]string{{"svinit", "--"}, {"svinit-setsid", "--"}, {"tini", "--"}, {"tini", "-g", "--"}, {"dumb-init"}, {"catatonit", "--"}}

// forEachInit runs a test for every init, as PID 1 and as another process.
func forEachInit(t *testing.T, test func(t *testing.T, pidOne bool, argv []string)) {
	for _, argv := range initCommands {
		for _, pidOne := range []bool{false, true} {
			t.Run(fmt.Sprint(strings.Join(argv, " "), pidOne), func(t *testing.T) {
				if pidOne && os.Geteuid() != 0 {
					t.Skip("only root can make a PID namespace")
				}
				test(t, pidOne, slices.Clone(argv))
			})
		}
	}
}

// TestInteractiveShell checks an interactive shell as the main program: job control,
// Ctrl-C, and changes of the window size.
func TestInteractiveShell(t *testing.T) {
	forEachInit(t, func(t *testing.T, pidOne bool, argv []string) {
		s := openTerminal(t, pidOne, difftest.Binary(), append(argv, "bash", "--norc", "--noprofile", "--noediting", "-i")...)
		s.waitOutput("READY ")
		s.write("sleep 600\n")
		s.foreground("sleep")
		s.write(ctrlC)
		s.waitOutput("READY ")
		s.write("echo code $?\n")
		s.waitOutput("code 130\r\n")
		s.waitOutput("READY ")
		s.write("sleep 600\n")
		s.foreground("sleep")
		s.write(ctrlZ)
		s.waitOutput("Stopped")
		s.waitOutput("READY ")
		s.write("fg\n")
		s.foreground("sleep")
		s.write(ctrlC)
		s.waitOutput("READY ")
		if err := unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 101}); err != nil {
			t.Fatal(err)
		}
		s.write("stty size\n")
		s.waitOutput("33 101\r\n")
		s.waitOutput("READY ")
		s.write("exit 7\n")
		s.checkExit(7)
		for _, bad := range []string{"cannot set terminal", "no job control", "warning"} {
			if strings.Contains(s.all, bad) {
				t.Errorf("%s", s.all)
			}
		}
	})
}

// TestCtrlZ checks that a program without a shell above it continues after Ctrl-Z.
func TestCtrlZ(t *testing.T) {
	forEachInit(t, func(t *testing.T, pidOne bool, argv []string) {
		s := openTerminal(t, pidOne, difftest.Binary(), append(argv, "sh", "-c", "sh -c 'echo begin; exec cat'; exit 8")...)
		s.waitOutput("begin")
		s.write(ctrlZ)
		s.waitOutput("^Z")
		s.write("hello\n")
		s.waitOutput("hello\r\n") // the terminal's echo
		s.waitOutput("hello\r\n")
		s.write(ctrlD)
		s.checkExit(8)
	})
}

// TestStopsItself checks that a program continues that stops itself by STOP, as vi of BusyBox
// does after Ctrl-Z, or by the signals for a background process.
func TestStopsItself(t *testing.T) {
	for _, sig := range []string{"STOP", "TSTP", "TTIN", "TTOU"} {
		for _, pidOne := range []bool{false, os.Geteuid() == 0} {
			s := openTerminal(t, pidOne, difftest.Binary(), "svinit", "--", "sh", "-c", "echo begin; kill -"+sig+" $$; echo on; read x; echo read $x; exit 8")
			s.waitOutput("on\r\n")
			s.write("it\n")
			s.waitOutput("read it\r\n")
			s.checkExit(8)
		}
	}
}

// TestCtrlZOften sends Ctrl-Z often enough to stop a child between vfork and exec, where its
// parent waits in the kernel.
func TestCtrlZOften(t *testing.T) {
	forEachInit(t, func(t *testing.T, pidOne bool, argv []string) {
		s := openTerminal(t, pidOne, difftest.Binary(), append(argv, "dash", "-c", "while :; do /bin/true; printf .; done")...)
		for range 60 {
			s.waitOutput(".")
			s.write(ctrlZ)
			s.waitOutput("^Z")
		}
		s.waitOutput(".")
		s.write(ctrlC)
		s.checkExit(130)
	})
}

// TestNested runs an init as the program of another init.
func TestNested(t *testing.T) {
	for _, outer := range []string{"/usr/bin/tini", difftest.Binary()} {
		s := openTerminal(t, false, outer, "tini", "-s", "--", "sh", "-c", `exec "$SVINIT_BINARY" -- cat`)
		s.foreground("cat")
		s.write(ctrlZ)
		s.waitOutput("^Z")
		s.write("hello\n")
		s.waitOutput("hello\r\n")
		s.waitOutput("hello\r\n")
		s.write(ctrlD)
		s.checkExit(0)
	}
}
