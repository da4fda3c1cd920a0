// By default the runtime reads the CPU limit of our cgroup at start and then every
// second, to set GOMAXPROCS: that slows down every svc and wakes an idle PID 1.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Svinit is the first process of a container that runs more than one program and,
// depending on the name it is called by, every tool of daemontools.
//
//	svinit                  supervise /etc/service
//	svinit CMD ARG...       the same, with CMD as the main program
//	svinit -- CMD ARG...    the same, whatever CMD is called
//	svinit OPTION... [--] CMD ARG...    the same, with options: see usage
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
	"runtime"

	"github.com/moby/sys/reexec"

	"svinit/cmd/internal/applet"
	"svinit/cmd/internal/svctl"
	"svinit/init/foreground"
)

// The supervisor keeps the main thread for its main goroutine, which makes no call
// that can hang. The kernel gives a signal for the process to that thread if it
// can. A thread that hangs in a file system would take the signal and act on it
// when it goes on: a TERM would be lost for that time. Only in an init function is
// the goroutine on the main thread for certain. Everything else gives the thread
// back.
func init() { runtime.LockOSThread() }

func main() {
	for _, c := range commands {
		if c.Subcommand {
			continue
		}
		reexec.Register(c.Name, func() {
			runtime.UnlockOSThread()
			os.Exit(c.Main(newEnv()))
		})
	}
	reexec.Register(foreground.ListenShim, func() { os.Exit(foreground.RunListener(os.Args[1:], os.Stderr)) })
	if len(os.Args) == 0 { // as execve(2) allowed before Linux 5.18
		os.Args = []string{binary}
	}
	// reexec looks up os.Args[0], which may contain directories.
	os.Args[0] = filepath.Base(os.Args[0])
	reexec.Init()
	if !isOwnName(os.Args[0]) && svctl.IsInitScript(newEnv(), os.Getpid()) {
		os.Exit(svctl.Sv.Main(newEnv()))
	}
	if len(os.Args) > 1 {
		if c := commands.Find(os.Args[1]); c != nil && !c.Compat {
			os.Args = os.Args[1:]
			reexec.Init()
			runtime.UnlockOSThread()
			e := newEnv()
			e.Name = binary + ": " + c.Name
			os.Exit(c.Main(e))
		}
	}
	called := os.Args[0]
	os.Args[0] = binary
	os.Exit(runSvinit(newEnv(), called))
}

// newEnv returns the environment of this process.
func newEnv() *applet.Env {
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
			return c != nil && !c.Subcommand && !c.Compat
		},
		Version: buildVersion,
	}
}
