package super

import (
	"cmp"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/services"
	"svinit/services/program"
	"svinit/services/svdir"
	"svinit/services/svlog"
)

// Svscanboot is svscanboot(8): svscan with a clean environment, and its errors in the
// process list. The original is a shell script; this one needs no shell and no other
// program.
var Svscanboot = applet.Command{
	Name:     "svscanboot",
	Synopsis: "svscanboot [dir]",
	Summary:  "start svscan, and show its errors in the process list",
	Section:  8,
	Help: `Stops and releases the services in dir, by default $SVINIT_SERVICE_DIR or
/etc/service, as "svc -dx" does, and starts svscan there with only PATH in its
environment. readproctitle shows the output of svscan and of services without a
logger in the process list: try "ps -Af | grep readproctitle".
On TERM or INT all services are stopped; the second signal kills them.
`,
	Run:         runSvscanboot,
	KeepSignals: []syscall.Signal{syscall.SIGQUIT, syscall.SIGALRM},
}

// bootPath is the PATH of all services, as in daemontools.
const bootPath = "PATH=/command:/usr/local/bin:/usr/local/sbin:/bin:/sbin:/usr/bin:/usr/sbin:/usr/X11R6/bin"

// titleSize is how many bytes of the errors readproctitle shows.
const titleSize = 400

func runSvscanboot(e *applet.Env) error {
	dir := cmp.Or(e.Getenv("SVINIT_SERVICE_DIR"), svdir.ScanDir)
	if len(e.Args) > 0 {
		dir = e.Args[0]
	}
	// svscan would find out, but after our own services have been stopped.
	if pid := svdir.ScanDirSupervisor(dir); pid != 0 {
		return applet.Fatal("unable to supervise", &svdir.SupervisedError{Dir: dir, PID: pid})
	}
	nullfd, err := services.OpenNull(nil)
	if err != nil {
		return applet.Fatal("unable to open /dev/null", err)
	}
	null := os.NewFile(uintptr(nullfd), "/dev/null")
	for fd := range 3 {
		if err := unix.Dup3(nullfd, fd, 0); err != nil {
			return applet.Fatal("unable to use /dev/null", err)
		}
	}
	// From here on our output goes to /dev/null.
	releaseServices(dir, e.Getenv("SVINIT_STATE_DIR"))
	signals := make(chan os.Signal, 16)
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGALRM} {
		if !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
	rfd, wfd, err := svlog.NewPipe() // services open it as /dev/stderr
	if err != nil {
		return applet.Fatal("unable to create pipe", err)
	}
	r, w := os.NewFile(uintptr(rfd), "pipe"), os.NewFile(uintptr(wfd), "pipe")
	reader, err := startTool([]*os.File{r, null, null}, "readproctitle", "service", "errors:", strings.Repeat(".", titleSize))
	r.Close()
	if err != nil {
		return applet.Fatal("unable to start readproctitle", err)
	}
	scan, err := startTool([]*os.File{null, w, w}, "svscan", dir)
	w.Close()
	if err != nil {
		return applet.Fatal("unable to start svscan", err)
	}
	go func() {
		for sig := range signals {
			scan.Signal(sig)
		}
	}()
	scan.Wait()
	// If svscan was killed, services may still have the pipe open: readproctitle exits
	// after them.
	state, err := reader.Wait()
	if err != nil {
		return applet.Fatal("unable to wait for readproctitle", err)
	}
	if code := program.ExitCode(state.Sys().(syscall.WaitStatus)); code != 0 {
		return applet.Silent(code)
	}
	return nil
}

// startTool starts this binary as a tool, with only PATH in its environment. It gets its
// own process group, so that the signals of a terminal are forwarded only once and
// readproctitle is not killed before svscan exits.
func startTool(files []*os.File, argv ...string) (*os.Process, error) {
	return os.StartProcess("/proc/self/exe", argv, &os.ProcAttr{
		Env: []string{bootPath}, Files: files, Sys: &syscall.SysProcAttr{Setpgid: true},
	})
}

// releaseServices sends "dx", like svc -dx, to all services of a scan directory: their
// supervisors may still run, left behind by an earlier svscan, and hold the locks.
func releaseServices(dir, stateDir string) {
	entries, _ := os.ReadDir(dir)
	for _, sub := range []string{"", "/log"} {
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), ".") {
				continue
			}
			service := dir + "/" + entry.Name() + sub
			if state, err := svdir.Locate(service, stateDir); err == nil {
				svdir.Send(state, []byte(svdir.CmdsDownExit))
			}
		}
	}
}
