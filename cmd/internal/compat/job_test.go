package compat

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/difftest"
)

// openShell starts an interactive shell on a terminal, with links to our binary in its
// working directory.
func openShell(t *testing.T, links ...string) *terminal {
	t.Helper()
	s := openTerminal(t, false, "/bin/bash", "bash", "--norc", "--noprofile", "--noediting", "-i")
	for _, name := range links {
		if err := os.Symlink(difftest.Binary(), s.cmd.Dir+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	s.waitOutput("READY ")
	return s
}

// jobShell is an interactive shell that runs jobs under an init.
type jobShell struct {
	*terminal
	init string // the command name of the init
}

// run enters a command, with the init and "--" for INIT.
func (s *jobShell) run(command string) {
	s.write(strings.ReplaceAll(command, "INIT", s.init+" --") + "\n")
}

// feed writes a line to the FIFO that jobs read.
func (s *jobShell) feed() {
	s.t.Helper()
	if err := os.WriteFile(s.cmd.Dir+"/fifo", []byte("\n"), 0); err != nil {
		s.t.Fatal(err)
	}
}

// TestJobs checks that the job control of a shell works with an init in front of the job.
func TestJobs(t *testing.T) {
	for _, name := range []string{"svinit", "tini"} {
		s := &jobShell{openShell(t, name), "./" + name}
		s.run("mkfifo fifo")
		s.waitOutput("READY ")
		s.backgroundJobs()
		s.terminalInput()
		s.pipelines()
		s.write("exit 3\n")
		s.checkExit(3)
	}
}

// backgroundJobs checks that a job in the background does not take the terminal.
func (s *jobShell) backgroundJobs() {
	s.run(`INIT sh -c 'read x <fifo; exit 3'`)
	s.foreground("sh")
	s.write(ctrlZ)
	s.waitOutput("READY ")
	s.run("bg")
	s.waitOutput("READY ")
	s.run("echo >fifo; wait %1; echo code $?")
	s.waitOutput("code 3\r\n")
	s.waitOutput("READY ")
	s.run("INIT sleep 600")
	s.foreground("sleep")
	s.write(ctrlZ)
	s.waitOutput("READY ")
	s.run("kill %1") // the shell reports the exit now or at a later prompt
	s.askShell("", "Exit 143")
}

// terminalInput checks that a job that reads from the terminal stops in the background, and
// reads in the foreground.
func (s *jobShell) terminalInput() {
	s.run("INIT cat &")
	s.waitOutput("READY ")
	s.askShell("jobs", "Stopped                 "+s.init+" -- cat\r\n")
	s.run("fg")
	s.waitOutput("fg\r\n" + s.init + " -- cat\r\n")
	s.write("hello\n")
	s.waitOutput("hello\r\nhello\r\n")
	s.write(ctrlD)
	s.waitOutput("READY ")
	s.run(`INIT sh -c 'read x <fifo; read x; echo read $x'`)
	s.foreground("sh")
	s.write(ctrlZ)
	s.waitOutput("READY ")
	s.run("bg")
	s.waitOutput("READY ")
	s.run("fg")
	waitFor(s.t, "the job in the foreground", func() bool {
		group, err := unix.IoctlGetInt(int(s.master.Fd()), unix.TIOCGPGRP)
		return err == nil && group != s.cmd.Process.Pid
	})
	s.feed()
	s.foreground("sh")
	s.write("it\n")
	s.waitOutput("read it\r\n")
	s.waitOutput("READY ")
}

// pipelines checks that each process of a pipeline can read from the terminal.
func (s *jobShell) pipelines() {
	s.run(`seq 3 | INIT sh -c 'read x </dev/tty; echo read $x; wc -l'`)
	s.foreground("sh")
	s.write("this\n")
	s.waitOutput("read this\r\n3\r\n")
	s.waitOutput("READY ")
	s.run(`INIT sh -c 'echo begun >/dev/tty; seq 3; read x <fifo' | sh -c 'read x </dev/tty; echo read $x; wc -l'`)
	s.waitOutput("begun\r\n")
	s.write("that\n")
	s.waitOutput("read that\r\n")
	s.feed()
	s.waitOutput("3\r\n")
	s.waitOutput("READY ")
	s.run("yes | INIT cat >/dev/null")
	s.foreground("cat")
	s.write(ctrlZ)
	s.waitOutput("Stopped")
	s.waitOutput("READY ")
	s.run("fg")
	s.foreground("cat")
	s.write(ctrlC)
	s.waitOutput("READY ")
}

// TestJob checks that a shell treats the main program as its job.
func TestJob(t *testing.T) {
	for _, name := range []string{"svinit", "tini"} {
		s := openShell(t, name)
		for _, command := range []string{"./" + name + " -- cat", "sh -c './" + name + " -- cat; true'"} {
			s.write(command + "\n")
			s.foreground("cat")
			s.write(ctrlZ)
			s.waitOutput("Stopped")
			s.waitOutput("READY ")
			s.write("fg\n")
			s.foreground("cat")
			s.write("hello\n")
			s.waitOutput("hello\r\n")
			s.waitOutput("hello\r\n")
			s.write(ctrlD)
			s.waitOutput("READY ")
		}
		// After our exit the rest of our process group has the terminal again.
		s.write("sh -c './" + name + " -- true; read x; echo read $x'\nit\n")
		s.waitOutput("read it\r\n")
		s.waitOutput("READY ")
		s.write("sh -c './" + name + " -- ./nonesuch; read x; echo read $x'\nthat\n")
		s.waitOutput("read that\r\n")
		s.waitOutput("READY ")
		s.write("exit 3\n")
		s.checkExit(3)
	}
}
