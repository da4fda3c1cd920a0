package svctl

import (
	"time"

	"svinit/services/svdir"
)

// settleTime is how long a process must have lived to count as up. One that dies at once,
// of a wrong option or a port that is taken, has been up for a moment in each of its
// attempts, and an answer given in that moment is wrong. runit's sv looks at once and
// then every 420 ms, so it usually sees such a service between two attempts.
const settleTime = 300 * time.Millisecond

// settles returns when the process of a service, which runs, has lived for settleTime. The
// time is zero if it has. That is so for a process that is ready, and for one that was
// started in the future: the clock has been set back since.
func settles(s svdir.Status, now time.Time) time.Time {
	end := s.Since.Add(settleTime)
	if !s.Ready.IsZero() || s.Since.After(now) || !now.Before(end) {
		return time.Time{}
	}
	return end
}

// isStarting reports whether the service has a process that has not executed its program
// yet: it is neither up nor down.
func isStarting(s svdir.Status) bool { return s.PID == 0 && s.Flags&svdir.FlagStarting != 0 }

// restarted reports whether the service runs with another process than before.
func restarted(s, before svdir.Status) bool {
	return s.PID != 0 && !(s.PID == before.PID && s.Since.Equal(before.Since) && s.Restarts == before.Restarts)
}

// earlier returns the earlier of two times, of which a zero one is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
