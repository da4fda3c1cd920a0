package pid1

import (
	"os"
	"runtime"
	"syscall"

	"svinit/init/signals"
	"svinit/services/svlog"
)

// listen hands on what l catches. It goes on for as long as we do.
func (s *system) listen(l *signals.Listener) {
	for {
		sig, err := l.Next()
		if err != nil {
			s.report(svlog.Event{Level: svlog.Warning, Text: "no more signals: " + err.Error()})
			return
		}
		if sig.Number == syscall.SIGCHLD { // about our children, not the main program's
			s.procs.Wake()
			continue
		}
		if bit := uint64(1) << sig.Number; s.hush&bit != 0 {
			s.hush &^= bit
			continue
		}
		if sig.Number == syscall.SIGTTIN && sig.Code == signals.Kernel && (s.alone == nil || !s.alone.StopToo) {
			s.childStopped(os.Getpid(), sig.Number) // who reads is in our group
			continue
		}
		if sig.Number == syscall.SIGCONT && sig.PID == os.Getpid() { // groupReads
			continue
		}
		s.signals <- sig
		runtime.Gosched() // to the receiver, before this thread waits again
	}
}

// stops says whether a signal stops a container without a main program. KILL
// can come as that of SVINIT_PARENT_DEATH.
func stops(sig syscall.Signal) bool {
	return sig == syscall.SIGTERM || sig == syscall.SIGINT || sig == syscall.SIGQUIT || sig == syscall.SIGKILL
}
