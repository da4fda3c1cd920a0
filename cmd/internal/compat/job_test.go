package compat

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/difftest"
)

// shell is an interactive shell on a terminal, with links to our binary.
func shell(t *testing.T, links ...string) *session {
	t.Helper()
	s := open(t, false, "/bin/bash", "bash", "--norc", "--noprofile", "--noediting", "-i")
	for _, name := range links {
		if err := os.Symlink(difftest.Binary(), s.cmd.Dir+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	s.see("READY ")
	return s
}

// What a shell does with its jobs, it does with us.
func TestJobs(t *testing.T) {
	for _, name := range []string{"svinit", "tini"} {
		s := shell(t, name)
		do := func(command string) { s.write(strings.ReplaceAll(command, "INIT", "./"+name+" --") + "\n") }

		feed := func() {
			t.Helper()
			if err := os.WriteFile(s.cmd.Dir+"/fifo", []byte("\n"), 0); err != nil {
				t.Fatal(err)
			}
		}

		// Sent to the background, or ended there, it leaves the terminal alone.
		do("mkfifo fifo")
		s.see("READY ")
		do(`INIT sh -c 'read x <fifo; exit 3'`)
		s.foreground("sh")
		s.write(ctrlZ)
		s.see("READY ")
		do("bg")
		s.see("READY ")
		do("echo >fifo; wait %1; echo code $?")
		s.see("code 3\r\n")
		s.see("READY ")
		do("INIT sleep 600")
		s.foreground("sleep")
		s.write(ctrlZ)
		s.see("READY ")
		do("kill %1") // which is told now, or with a later prompt
		s.ask("", "Exit 143")

		// Started in the background, it stops when it wants to read, and reads
		// when it is in the foreground.
		do("INIT cat &")
		s.see("READY ")
		s.ask("jobs", "Stopped                 ./"+name+" -- cat\r\n")
		do("fg")
		s.see("fg\r\n./" + name + " -- cat\r\n")
		s.write("hello\n")
		s.see("hello\r\nhello\r\n")
		s.write(ctrlD)
		s.see("READY ")
		do(`INIT sh -c 'read x <fifo; read x; echo read $x'`)
		s.foreground("sh")
		s.write(ctrlZ)
		s.see("READY ")
		do("bg")
		s.see("READY ")
		do("fg")
		await(t, "the job in the foreground", func() bool {
			group, err := unix.IoctlGetInt(int(s.master.Fd()), unix.TIOCGPGRP)
			return err == nil && group != s.cmd.Process.Pid
		})
		feed()
		s.foreground("sh")
		s.write("it\n")
		s.see("read it\r\n")
		s.see("READY ")

		// In a pipeline, whoever reads from the terminal may.
		do(`seq 3 | INIT sh -c 'read x </dev/tty; echo read $x; wc -l'`)
		s.foreground("sh")
		s.write("this\n")
		s.see("read this\r\n3\r\n")
		s.see("READY ")
		do(`INIT sh -c 'echo begun >/dev/tty; seq 3; read x <fifo' | sh -c 'read x </dev/tty; echo read $x; wc -l'`)
		s.see("begun\r\n")
		s.write("that\n")
		s.see("read that\r\n")
		feed()
		s.see("3\r\n")
		s.see("READY ")
		do("yes | INIT cat >/dev/null")
		s.foreground("cat")
		s.write(ctrlZ)
		s.see("Stopped")
		s.see("READY ")
		do("fg")
		s.foreground("cat")
		s.write(ctrlC)
		s.see("READY ")
		s.write("exit 3\n")
		s.ended(3)
	}
}

// With a shell above, the main program is its job.
func TestJob(t *testing.T) {
	for _, name := range []string{"svinit", "tini"} {
		s := shell(t, name)
		for _, command := range []string{"./" + name + " -- cat", "sh -c './" + name + " -- cat; true'"} {
			s.write(command + "\n")
			s.foreground("cat")
			s.write(ctrlZ)
			s.see("Stopped")
			s.see("READY ")
			s.write("fg\n")
			s.foreground("cat")
			s.write("hello\n")
			s.see("hello\r\n")
			s.see("hello\r\n")
			s.write(ctrlD)
			s.see("READY ")
		}
		// Who goes on after us in our group has the terminal again.
		s.write("sh -c './" + name + " -- true; read x; echo read $x'\nit\n")
		s.see("read it\r\n")
		s.see("READY ")
		s.write("sh -c './" + name + " -- ./nonesuch; read x; echo read $x'\nthat\n")
		s.see("read that\r\n")
		s.see("READY ")
		s.write("exit 3\n")
		s.ended(3)
	}
}
