package services

import (
	"time"

	"svinit/services/svdir"
)

// handles is what an owner holds open for its service.
type handles struct {
	state  *svdir.Held // the state directory; nil where no place could serve
	input  *logPipe    // a logger's standard input
	output *logPipe    // standard output where there is a logger
	notify int         // the read end for notifications of readiness; 0 without one
	timer  *time.Timer // of the next deadline; nil until there was one
	armed  time.Time   // what the timer is set to
}

// arm sets the timer to a time, the zero time for none.
func (h *handles) arm(at, now time.Time) {
	switch {
	case at == h.armed:
		return
	case at.IsZero():
		h.timer.Stop()
	case h.timer == nil:
		h.timer = time.NewTimer(at.Sub(now))
	default:
		h.timer.Reset(at.Sub(now))
	}
	h.armed = at
}

// due returns the channel of the timer, nil when it was never set.
func (h *handles) due() <-chan time.Time {
	if h.timer == nil {
		return nil
	}
	return h.timer.C
}
