// Package super has the supervisors of daemontools, svscan and supervise:
// the engine of PID 1 without its duties.
//
// daemontools' own die of TERM and leave their services running, as orphans
// that the next svscan starts a second time. Ours stop what they supervise,
// wait for its end, and then exit.
package super

import (
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/cmd/internal/applet"
	"svinit/init/signals"
	"svinit/reaper"
	"svinit/services"
	"svinit/services/epoll"
	"svinit/services/svdir"
	"svinit/services/svlog"
)

// engine is what both run on.
type engine struct {
	services.Config
	procs   *reaper.Reaper
	signals chan syscall.Signal
}

// newEngine prepares to supervise. Services write to our own standard output
// and error, as in daemontools.
func newEngine(e *applet.Env) (*engine, error) {
	caught, err := signals.Listen(syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGALRM, syscall.SIGCHLD)
	if err != nil {
		return nil, applet.Fatal("unable to catch signals", err)
	}
	en := &engine{signals: make(chan syscall.Signal)}
	procs, err := reaper.New()
	if err != nil {
		return nil, applet.Fatal("unable to adopt orphans", err)
	}
	poll, err := epoll.New()
	if err != nil {
		return nil, applet.Fatal("unable to wait for commands", err)
	}
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, applet.Fatal("unable to open /dev/null", err)
	}
	en.procs = procs
	en.Config = services.Config{
		Procs:      procs,
		Poll:       poll,
		Report:     svlog.Direct(e.Name, 2),
		Env:        os.Environ(),
		Stdin:      uintptr(null),
		StateBases: svdir.Bases(e.Getenv("SVINIT_STATE_DIR"), os.Geteuid()),
	}
	go procs.Run()
	go en.listen(caught)
	go func() {
		for poll.Wait() == nil {
		}
	}()
	return en, nil
}

// listen hands on what l catches. It goes on for as long as we do.
func (en *engine) listen(l *signals.Listener) {
	for {
		sig, err := l.Next()
		switch {
		case err != nil:
			en.Report(svlog.Event{Level: svlog.Warning, Text: "no more signals: " + err.Error()})
			return
		case sig.Number == syscall.SIGCHLD:
			en.procs.Wake()
		case !l.Ignored(sig.Number): // under nohup
			en.signals <- sig.Number
		}
	}
}

// supervisor is a Set or a Single.
type supervisor interface {
	Run()
	Stop()
	Kill()
	Down() <-chan struct{} // the services have ended
	Done() <-chan struct{} // and the loggers
}

// run supervises until it is done. The second TERM or INT kills everything.
func (en *engine) run(s supervisor, alarm func()) {
	go s.Run()
	stop, down := s.Stop, s.Down()
	for {
		select {
		case <-s.Done():
			return
		case <-down:
			// What a service has left in the background may hold the pipe of its
			// logger, which then never comes to its end.
			en.procs.StopOrphans()
			down = nil
		case sig := <-en.signals:
			if sig == syscall.SIGALRM {
				alarm()
				continue
			}
			stop()
			stop = func() {
				s.Kill()
				en.procs.KillAll()
			}
		}
	}
}

// enter makes dir the current directory, as both programs do first, and
// returns its absolute path.
func enter(dir string) (string, error) {
	if err := os.Chdir(dir); err != nil {
		return "", applet.Fatal("unable to chdir to "+dir, err)
	}
	abs, err := os.Getwd()
	if err != nil {
		return "", applet.Fatal("unable to find the current directory", err)
	}
	return filepath.Clean(abs), nil
}
