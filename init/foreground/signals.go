package foreground

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"syscall"

	"svinit/init/signals"
	"svinit/services/svlog"
)

// listen hands out the signals caught, for as long as the process runs.
func (i *Init) listen() {
	for {
		sig, err := i.caught.Next()
		if err != nil {
			i.options.report(svlog.Event{Level: svlog.Warning, Text: "no more signals: " + err.Error()})
			return
		}
		switch {
		case sig.Number == syscall.SIGCHLD: // about our children, not those of the main program
			i.Reaper.Wake()
		case i.job.ignore(sig.Number):
		case sig.Number == syscall.SIGTTIN && sig.Code == signals.Kernel && !i.options.StopToo:
			// This process reads from no terminal: another of our process group does.
			i.childStopped(os.Getpid(), sig.Number)
		case sig.Number == syscall.SIGCONT && sig.PID == os.Getpid() && sig.Code == 0: // from continueGroup, by kill(2)
		default:
			i.arrived <- sig
			runtime.Gosched() // to the receiver, before this thread waits again
		}
	}
}

// forward forwards a signal to the main program.
func (i *Init) forward(sig syscall.Signal) {
	switch to, err := i.send(sig); {
	case err != nil:
		i.emit(Event{Kind: NotForwarded, PID: i.job.pid, Signal: to, Err: err})
		i.unstoppable = errors.Is(err, syscall.EPERM) && slices.Contains(i.options.Unstoppable, to) && os.Getpid() == 1
	case to != 0:
		i.emit(Event{Kind: Forwarded, Signal: to})
	}
	if i.options.StopToo && (sig == syscall.SIGTSTP || sig == syscall.SIGTTIN || sig == syscall.SIGTTOU) {
		stopSelf()
	}
}

// send sends the main program the signal that the options have in place of sig,
// and returns that signal: 0 for none.
func (i *Init) send(sig syscall.Signal) (to syscall.Signal, err error) {
	if i.job.stoppedWithUs && sig == syscall.SIGCONT {
		return sig, i.continued()
	}
	if to = i.options.Signals.Translate(sig); to == 0 {
		return 0, nil
	}
	pid := i.job.pid
	if i.options.Group {
		pid = -pid
	}
	return to, i.Reaper.Signal(pid, to)
}
