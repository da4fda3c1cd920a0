package super

import (
	"cmp"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/services/program"
	"svinit/services/svdir"
)

// Svscanboot is svscanboot(8): svscan with a clean environment, its errors
// among the processes. daemontools' is a shell script; this needs no shell, and
// no program but itself.
var Svscanboot = applet.Command{
	Name:     "svscanboot",
	Synopsis: "svscanboot [dir]",
	Summary:  "start svscan, and show its errors in the process list",
	Section:  8,
	Help: `Lets go of the services of dir, by default $SVINIT_SERVICE_DIR or /etc/service,
as "svc -dx" does, and starts svscan there with nothing but PATH in its
environment. What svscan and services without a logger write is shown by
readproctitle: try "ps -Af | grep readproctitle".
TERM or INT stops all; the second one kills.
`,
	Run:         svscanboot,
	KeepSignals: []syscall.Signal{syscall.SIGQUIT, syscall.SIGALRM},
}

// bootPath is the PATH of all services, daemontools' own.
const bootPath = "PATH=/command:/usr/local/bin:/usr/local/sbin:/bin:/sbin:/usr/bin:/usr/sbin:/usr/X11R6/bin"

// titleRoom is how much of the errors is shown.
const titleRoom = 400

func svscanboot(e *applet.Env) error {
	dir := cmp.Or(e.Getenv("SVINIT_SERVICE_DIR"), svdir.ScanDir)
	if len(e.Args) > 0 {
		dir = e.Args[0]
	}
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return applet.Fatal("unable to open /dev/null", err)
	}
	for fd := range 3 {
		if err := unix.Dup3(int(null.Fd()), fd, 0); err != nil {
			return applet.Fatal("unable to use /dev/null", err)
		}
	}
	// From here on nobody hears us.
	letGo(dir, e.Getenv("SVINIT_STATE_DIR"))
	signals := make(chan os.Signal, 16)
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGALRM} {
		if !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		return applet.Fatal("unable to create pipe", err)
	}
	reader, err := become([]*os.File{r, null, null}, "readproctitle", "service", "errors:", strings.Repeat(".", titleRoom))
	r.Close()
	if err != nil {
		return applet.Fatal("unable to start readproctitle", err)
	}
	scan, err := become([]*os.File{null, w, w}, "svscan", dir)
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
	// Services may still have the pipe, as after svscan was killed.
	state, err := reader.Wait()
	if err != nil {
		return applet.Fatal("unable to wait for readproctitle", err)
	}
	if code := program.ExitCode(state.Sys().(syscall.WaitStatus)); code != 0 {
		return applet.Silent(code)
	}
	return nil
}

// become starts ourselves under a tool's name, with nothing but PATH. It has a
// process group of its own: what a terminal sends to ours is passed on once,
// and readproctitle stays to the end.
func become(files []*os.File, argv ...string) (*os.Process, error) {
	return os.StartProcess("/proc/self/exe", argv, &os.ProcAttr{
		Env: []string{bootPath}, Files: files, Sys: &syscall.SysProcAttr{Setpgid: true},
	})
}

// letGo tells whoever supervises the services of a scan directory, as svc -dx
// does: supervisors that an earlier svscan left behind, who would not let ours
// have them.
func letGo(dir, stateDir string) {
	entries, _ := os.ReadDir(dir)
	for _, sub := range []string{"", "/log"} {
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), ".") {
				continue
			}
			service := dir + "/" + entry.Name() + sub
			state := service + "/" + svdir.Supervise
			if svdir.Send(state, []byte(svdir.CmdsDownExit)) != nil {
				if other := svdir.Locate(service, stateDir); other != state {
					svdir.Send(other, []byte(svdir.CmdsDownExit))
				}
			}
		}
	}
}
