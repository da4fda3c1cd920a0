package pid1

import (
	"slices"
	"syscall"
	"time"

	"svinit/services/signame"
	"svinit/services/svlog"
)

// stopSignals stop a container without a main program. PWR and RTMIN+3 are the
// STOPSIGNAL of images that were made for systemd. KILL cannot be caught, but can
// arrive as SVINIT_PARENT_DEATH.
var stopSignals = []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGPWR, rtMin3, syscall.SIGKILL}

// rtMin3 is SIGRTMIN+3 of the C library.
const rtMin3 syscall.Signal = 37

func stops(sig syscall.Signal) bool { return slices.Contains(stopSignals, sig) }

// hurries reports whether a signal that arrives during a stop can end it by KILL.
func hurries(sig syscall.Signal) bool { return sig == syscall.SIGTERM || sig == syscall.SIGINT }

// unusedInterval is how often a signal without effect is reported.
const unusedInterval = time.Minute

// unusedSignals has when each signal without effect was reported last.
type unusedSignals map[syscall.Signal]time.Time

// reportNow reports whether a signal that has just arrived is to be reported, and
// remembers that it was.
func (u *unusedSignals) reportNow(sig syscall.Signal) bool {
	if *u == nil {
		*u = make(unusedSignals)
	}
	last, reported := (*u)[sig]
	if now := time.Now(); !reported || now.Sub(last) >= unusedInterval {
		(*u)[sig] = now
		return true
	}
	return false
}

// unusedSignal is the line about a signal that has no effect.
func unusedSignal(sig syscall.Signal) svlog.Event {
	name := signame.Name(sig)
	return svlog.Event{Level: svlog.Warning, Text: "unable to act on signal " + name + ": no service has a use for it; SVINIT_SIGNALS=" +
		name + "=TERM makes it stop the container"}
}

// order is the last stop signal, with its sender (0 where unknown) and the time
// at which it arrived.
type order struct {
	sender int
	at     time.Time
}

// duplicateWindow is within what time the same stop signal can arrive twice:
// timeout(1) signals its child, and then its process group.
const duplicateWindow = time.Second

// again remembers a stop signal and reports whether it is the second: the first
// one stopped us or the main program. A signal that the main program has
// outlived by more than the timeout was about something else.
func (o *order) again(sender int, timeout time.Duration) bool {
	first := *o
	*o = order{sender, time.Now()}
	since := o.at.Sub(first.at)
	same := sender != 0 && sender == first.sender && since < duplicateWindow
	return !first.at.IsZero() && since < timeout && !same
}
