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

// session is a program on a terminal, and who types there.
type session struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	output chan string
	seen   string // what has come and was not waited for yet
	all    string
	asked  int // how often ask has
}

// open starts our binary, or another program, as the leader of a terminal's
// session.
func open(t *testing.T, pidOne bool, path string, argv ...string) *session {
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
	s := &session{t: t, master: master, output: make(chan string, 1000)}
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
			if err != nil { // EIO, when nobody has the other side
				close(s.output)
				return
			}
		}
	}()
	late := time.AfterFunc(2*patience, func() { s.cmd.Process.Kill() })
	t.Cleanup(func() {
		late.Stop()
		s.cmd.Process.Kill()
		s.cmd.Wait()
		master.Close()
	})
	return s
}

func (s *session) write(text string) {
	s.t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// see waits for a text.
func (s *session) see(text string) {
	s.t.Helper()
	limit := time.After(patience)
	for {
		if _, after, ok := strings.Cut(s.seen, text); ok {
			s.seen = after
			return
		}
		select {
		case more, ok := <-s.output:
			if !ok {
				s.t.Fatalf("no %q on the terminal, but\n%s", text, s.all)
			}
			s.seen += more
			s.all += more
		case <-limit:
			s.t.Fatalf("no %q on the terminal, but\n%s", text, s.all)
		}
	}
}

// foreground waits until the terminal's foreground is led by a program of that
// name, and returns its pid.
func (s *session) foreground(name string) (pid int) {
	s.t.Helper()
	await(s.t, name+" in the foreground", func() bool {
		pid, _ = unix.IoctlGetInt(int(s.master.Fd()), unix.TIOCGPGRP)
		return proc.Name(pid) == name
	})
	return pid
}

// ask asks the shell again and again, until its answers have a text.
func (s *session) ask(command, text string) {
	s.t.Helper()
	for begin, limit := len(s.all), time.Now().Add(patience); !strings.Contains(s.all[begin:], text); {
		if time.Now().After(limit) {
			s.t.Fatalf("%q: no %q on the terminal, but\n%s", command, text, s.all)
		}
		s.asked++ // as an answer that the terminal's echo of the question is not
		s.write(fmt.Sprintf("%s\necho o''k %d\n", command, s.asked))
		s.see(fmt.Sprintf("ok %d\r\n", s.asked))
		s.see("READY ")
	}
}

// ended waits for the end, and the exit code.
func (s *session) ended(code int) {
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

// names is what a program on a terminal is started by.
var names = [][]string{{"svinit", "--"}, {"svinit-setsid", "--"}, {"tini", "--"}, {"tini", "-g", "--"}, {"dumb-init"}, {"catatonit", "--"}}

// each runs a test for every name, as PID 1 and as another process.
func each(t *testing.T, test func(t *testing.T, pidOne bool, argv []string)) {
	for _, argv := range names {
		for _, pidOne := range []bool{false, true} {
			t.Run(fmt.Sprint(strings.Join(argv, " "), pidOne), func(t *testing.T) {
				if pidOne && os.Geteuid() != 0 {
					t.Skip("a new PID namespace is root's")
				}
				test(t, pidOne, slices.Clone(argv))
			})
		}
	}
}

// TestShell is a day at the terminal.
func TestShell(t *testing.T) {
	each(t, func(t *testing.T, pidOne bool, argv []string) {
		s := open(t, pidOne, difftest.Binary(), append(argv, "bash", "--norc", "--noprofile", "--noediting", "-i")...)
		s.see("READY ")
		s.write("sleep 600\n")
		s.foreground("sleep")
		s.write(ctrlC)
		s.see("READY ")
		s.write("echo code $?\n")
		s.see("code 130\r\n")
		s.see("READY ")
		s.write("sleep 600\n")
		s.foreground("sleep")
		s.write(ctrlZ)
		s.see("Stopped")
		s.see("READY ")
		s.write("fg\n")
		s.foreground("sleep")
		s.write(ctrlC)
		s.see("READY ")
		if err := unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 101}); err != nil {
			t.Fatal(err)
		}
		s.write("stty size\n")
		s.see("33 101\r\n")
		s.see("READY ")
		s.write("exit 7\n")
		s.ended(7)
		for _, bad := range []string{"cannot set terminal", "no job control", "warning"} {
			if strings.Contains(s.all, bad) {
				t.Errorf("%s", s.all)
			}
		}
	})
}

// Nobody is above a program on a terminal: Ctrl-Z must not be its end.
func TestCtrlZ(t *testing.T) {
	each(t, func(t *testing.T, pidOne bool, argv []string) {
		s := open(t, pidOne, difftest.Binary(), append(argv, "sh", "-c", "sh -c 'echo begin; exec cat'; exit 8")...)
		s.see("begin")
		s.write(ctrlZ)
		s.see("^Z")
		s.write("hello\n")
		s.see("hello\r\n") // the terminal's echo
		s.see("hello\r\n")
		s.write(ctrlD)
		s.ended(8)
	})
}

// A program that stops itself by STOP after Ctrl-Z, as vi of BusyBox does, and
// one that is told that it is in the background.
func TestStopsItself(t *testing.T) {
	for _, sig := range []string{"STOP", "TSTP", "TTIN", "TTOU"} {
		for _, pidOne := range []bool{false, os.Geteuid() == 0} {
			s := open(t, pidOne, difftest.Binary(), "svinit", "--", "sh", "-c", "echo begin; kill -"+sig+" $$; echo on; read x; echo read $x; exit 8")
			s.see("on\r\n")
			s.write("it\n")
			s.see("read it\r\n")
			s.ended(8)
		}
	}
}

// Ctrl-Z finds children of a program between vfork and exec, too, where their
// being stopped would leave the program waiting in the kernel.
func TestCtrlZOften(t *testing.T) {
	each(t, func(t *testing.T, pidOne bool, argv []string) {
		s := open(t, pidOne, difftest.Binary(), append(argv, "dash", "-c", "while :; do /bin/true; printf .; done")...)
		for range 60 {
			s.see(".")
			s.write(ctrlZ)
			s.see("^Z")
		}
		s.see(".")
		s.write(ctrlC)
		s.ended(130)
	})
}

// Inits in front of each other, one of them not ours.
func TestNested(t *testing.T) {
	for _, outer := range []string{"/usr/bin/tini", difftest.Binary()} {
		s := open(t, false, outer, "tini", "-s", "--", "sh", "-c", `exec "$SVINIT_BINARY" -- cat`)
		s.foreground("cat")
		s.write(ctrlZ)
		s.see("^Z")
		s.write("hello\n")
		s.see("hello\r\n")
		s.see("hello\r\n")
		s.write(ctrlD)
		s.ended(0)
	}
}
