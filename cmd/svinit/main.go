// The runtime would open the files of our cgroup at start and read them every
// second to set GOMAXPROCS: reads in every svc, wake-ups in an idle PID 1.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Svinit is the first process of a container that runs more than one thing,
// and, by the name it is called with, every tool of daemontools.
//
//	svinit                  supervise /etc/service
//	svinit CMD ARG...       the same, with CMD as the main program
//	svinit -- CMD ARG...    the same, whatever CMD is called
//	svinit OPTION... [--] CMD ARG...    with --leave-orphans, -p SIGNAL
//	svinit NAME ARG...      run the tool NAME, as a link called NAME does
//	svinit run FILE ARG...  execute a script, without a shell
//	svinit --install DIR    make these links; with --compat before DIR, links
//	                        called tini, dumb-init and so on: other inits
//	svinit --version
//	svinit help [NAME|env]
package main

import (
	"os"
	"path/filepath"

	"github.com/moby/sys/reexec"

	"svinit/cmd/internal/applet"
	"svinit/cmd/internal/svctl"
	"svinit/init/foreground"
)

func main() {
	for _, c := range commands {
		if c.Sub {
			continue
		}
		reexec.Register(c.Name, func() { os.Exit(c.Main(env())) })
	}
	reexec.Register(foreground.ListenShim, func() { os.Exit(foreground.RunListener(os.Args[1:], os.Stderr)) })
	if len(os.Args) == 0 { // as execve(2) allowed before Linux 5.18
		os.Args = []string{binary}
	}
	// The table of reexec has names; argv[0] may have directories.
	path := os.Args[0]
	os.Args[0] = filepath.Base(path)
	reexec.Init()
	if os.Args[0] != binary && svctl.Script(env(), path, os.Getpid()) {
		os.Exit(svctl.Sv.Main(env()))
	}
	if len(os.Args) > 1 {
		if c := commands.Find(os.Args[1]); c != nil && !c.Compat {
			os.Args = os.Args[1:]
			reexec.Init()
			e := env()
			e.Name = binary + ": " + c.Name
			os.Exit(c.Main(e))
		}
	}
	called := os.Args[0]
	os.Args[0] = binary
	os.Exit(svinit(env(), called))
}

// env is what the process was given.
func env() *applet.Env {
	return &applet.Env{
		Name:    os.Args[0],
		Args:    os.Args[1:],
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Getenv:  os.Getenv,
		Environ: os.Environ,
		Tool: func(name string) bool {
			c := commands.Find(name)
			return c != nil && !c.Sub && !c.Compat
		},
		Version: buildVersion,
	}
}
