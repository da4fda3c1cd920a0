// Package super has the supervisors of daemontools, svscan and supervise, and
// svscanboot. They use the same supervisor as PID 1, without its other tasks.
//
// On TERM those of daemontools exit and leave their services running, as orphans,
// which the next svscan starts a second time. Ours stop the services, wait until they
// are down, and then exit.
package super

import (
	"os"
	"path/filepath"
	"syscall"

	"svinit/cmd/internal/applet"
	"svinit/init/signals"
	"svinit/reaper"
	"svinit/services"
	"svinit/services/epoll"
	"svinit/services/svdir"
	"svinit/services/svlog"
)

// daemon is the common part of svscan and supervise.
type daemon struct {
	services.Config
	procs   *reaper.Reaper
	signals chan syscall.Signal
}

// newDaemon prepares to supervise. Services write to our standard output and error, as
// in daemontools.
func newDaemon(e *applet.Env) (*daemon, error) {
	caught, err := signals.Listen(syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGALRM, syscall.SIGCHLD)
	if err != nil {
		return nil, applet.Fatal("unable to catch signals", err)
	}
	d := &daemon{signals: make(chan syscall.Signal)}
	procs, err := reaper.New()
	if err != nil {
		return nil, applet.Fatal("unable to adopt orphans", err)
	}
	poll, err := epoll.New()
	if err != nil {
		return nil, applet.Fatal("unable to wait for commands", err)
	}
	report := svlog.Direct(e.Name, 2)
	null, err := services.OpenNull(report)
	if err != nil {
		return nil, applet.Fatal("unable to open /dev/null", err)
	}
	procs.Watch = func(fd int, ready func()) error { return poll.Add(fd, epoll.Edge, ready) }
	procs.Unwatch = poll.Remove
	d.procs = procs
	d.Config = services.Config{
		Procs:      procs,
		Poll:       poll,
		Report:     report,
		Env:        os.Environ(),
		Stdin:      uintptr(null),
		StateBases: svdir.Bases(e.Getenv("SVINIT_STATE_DIR"), os.Geteuid()),
	}
	procs.Refused = func(process string, err error) { d.Report(svlog.Unable("signal", process, err)) }
	go procs.Run()
	go d.forwardSignals(caught)
	go func() {
		for poll.Wait() == nil {
		}
	}()
	return d, nil
}

// forwardSignals sends the signals that l catches to d.signals. It runs until the
// process exits.
func (d *daemon) forwardSignals(l *signals.Listener) {
	for {
		sig, err := l.Next()
		switch {
		case err != nil:
			d.Report(svlog.Event{Level: svlog.Warning, Text: "no more signals: " + err.Error()})
			return
		case sig.Number == syscall.SIGCHLD:
			d.procs.Wake()
		case !l.Ignored(sig.Number): // HUP is ignored under nohup
			d.signals <- sig.Number
		}
	}
}

// supervisor is a Set or a Single.
type supervisor interface {
	Run()
	Stop()
	Kill()
	Down() <-chan struct{} // closed when the services are down
	Done() <-chan struct{} // closed when the loggers are down too
}

// run supervises until it is done. The second TERM or INT kills everything.
func (d *daemon) run(s supervisor, alarm func()) {
	go s.Run()
	stop, down := s.Stop, s.Down()
	for {
		select {
		case <-s.Done():
			return
		case <-down:
			// Orphans of a service may have the pipe to its logger open; then the
			// logger never reaches the end of its input.
			d.procs.StopOrphans()
			down = nil
		case sig := <-d.signals:
			if sig == syscall.SIGALRM {
				alarm()
				continue
			}
			stop()
			stop = func() {
				s.Kill()
				d.procs.KillAll()
			}
		}
	}
}

// chdir changes to the directory dir, as both programs do first, and returns its absolute
// path.
func chdir(dir string) (string, error) {
	if err := os.Chdir(dir); err != nil {
		return "", applet.Fatal("unable to chdir to "+dir, err)
	}
	abs, err := os.Getwd()
	if err != nil {
		return "", applet.Fatal("unable to find the current directory", err)
	}
	return filepath.Clean(abs), nil
}
