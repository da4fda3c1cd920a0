package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// clientEnv has the process ID of svinit while it runs.
const clientEnv = "SVINIT_TEST_CLIENT_OF"

// clientMain is the program of a tool that commands services: it enters the
// namespaces of svinit, if there is one.
func clientMain() {
	pid := os.Getenv(clientEnv)
	if pid == "" {
		main()
		return
	}
	os.Unsetenv(clientEnv)
	self, err := exec.LookPath(os.Args[0])
	if err == nil {
		self, err = filepath.Abs(self)
	}
	var path string
	if err == nil {
		path, err = exec.LookPath("nsenter")
	}
	if err == nil {
		args := append(nsenterArgs(pid), "--wd=.", self)
		err = syscall.Exec(path, append(args, os.Args[1:]...), os.Environ())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(99)
}

// nsenterArgs is the command that enters the namespaces of a process.
func nsenterArgs(pid string) []string {
	args := []string{"nsenter", "-t", pid, "-p", "-m"}
	if os.Geteuid() != 0 {
		args = append(args, "-U", "--preserve-credentials")
	}
	return args
}
