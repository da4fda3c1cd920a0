package pid1

import (
	"fmt"
	"os"
	"syscall"

	"svinit/init/foreground"
	"svinit/services"
	"svinit/services/epoll"
	"svinit/services/program"
	"svinit/services/svdir"
	"svinit/services/svlog"
)

// The threads of a supervisor. These come to those of foreground.PlainThreads:
//
//	                                usual  small
//	owners                            4      1    services.Config.MaxParallel
//	the scanner                       1      -    takes turns with the owners
//	the log                           1      1
//	the start of readproctitle        1      -    there is none
var (
	withServices       = foreground.Threads{Usual: 12, Small: 5}
	beforeFirstService = foreground.Threads{Usual: 6, Small: 5}
)

// supervisor is a plain init with services, and perhaps without a main program.
type supervisor struct {
	plainInit
	poll    *epoll.Set
	log     *svlog.Mux
	set     *services.Set
	title   title
	unused  unusedSignals
	clients int             // the socket of svdir.ClaimScanDir
	written <-chan struct{} // closed when the log has been written, after its Stop
}

// run supervises the services, which members of the group gid may command. The
// error says why it was not even tried.
func (s *supervisor) run(command []string, gid int) (code int, err error) {
	o := s.options(command)
	o.Report = func(e svlog.Event) { s.report(e) } // boot changes report
	o.OnEvent = s.onEvent
	if len(command) == 0 {
		o.OnEvent = s.onEventAlone
	}
	if err := s.Prepare(o, withServices); err != nil {
		return program.ExitTemporary, err
	}
	if err := s.boot(gid); err != nil {
		return program.ExitTemporary, err
	}
	code, err = s.start(command)
	if err != nil {
		s.set.Stop()
	}
	// The goroutines are started after the main program, which their threads
	// would delay. What arrives for them meanwhile is kept.
	s.oom.start()
	s.Begin(beforeFirstService, s.pollServices, s.log.Run, s.set.Run)
	if err == nil {
		code = s.Wait()
	}
	s.stop(s.phases())
	return code, nil
}

// pollServices waits for the descriptors of the services: control FIFOs and
// inotify.
func (s *supervisor) pollServices() {
	for s.poll.Wait() == nil {
	}
}

// onEventAlone is onEvent without a main program: SIGALRM rescans the scan
// directory, and a signal that has no effect is reported, since it may be the
// STOPSIGNAL of an image.
func (s *supervisor) onEventAlone(e foreground.Event) {
	s.onEvent(e)
	if e.Kind != foreground.Received {
		return
	}
	switch sig := s.conf.Signals.Translate(e.Signal); {
	case sig == syscall.SIGALRM:
		s.set.Rescan()
	case sig == 0, stops(sig):
	case e.Kernel, sig == syscall.SIGCONT: // such as WINCH of a terminal; a stop of this process is over
	case s.unused.reportNow(e.Signal):
		s.report(unusedSignal(e.Signal))
	}
}

// boot makes what the services need, which members of the group gid may command.
func (s *supervisor) boot(gid int) (err error) {
	if s.poll, err = epoll.New(); err != nil {
		return fmt.Errorf("unable to wait for commands: %w", err)
	}
	if s.clients >= 0 {
		// Without it tools answer "not yet" as "never": no reason not to start.
		s.poll.Add(s.clients, epoll.Edge, func() { svdir.AcceptClients(s.clients) })
	}
	s.Reaper.Watch = func(fd int, ready func()) error { return s.poll.Add(fd, epoll.Edge, ready) }
	s.Reaper.Unwatch = s.poll.Remove
	format := svlog.Prefix
	if s.conf.Log == logRaw {
		format = svlog.Raw
	}
	if s.log, err = svlog.New(format, 1, 2); err != nil {
		return fmt.Errorf("unable to carry output: %w", err)
	}
	s.report = s.log.Report
	null, err := services.OpenNull(s.report)
	if err != nil {
		return err
	}
	cfg := &services.Config{
		Procs:        s.Reaper,
		Poll:         s.poll,
		Log:          s.log,
		Report:       s.report,
		Env:          os.Environ(),
		Stdin:        uintptr(null),
		StateBases:   svdir.Bases(s.conf.StateDir, os.Geteuid()),
		ControlGroup: gid,
		OOMKills:     oomKills,
		First:        func() { s.MakeThreads(withServices) },
	}
	s.title.procs = s.Reaper
	s.log.Errors = s.title.show
	if s.Small() {
		cfg.MaxParallel = 1
		s.log.Errors = nil
	}
	if s.conf.Log == logInherit {
		cfg.Log = nil
	}
	s.set = services.NewSet(cfg, s.conf.ServiceDir)
	return nil
}
