package machine

import "time"

// Deadline is a kind of deadline. Each kind is set and cleared on its own, so
// that one cannot be mistaken for another.
type Deadline uint8

// The kinds of deadlines.
const (
	StartDeadline  Deadline = iota // when a service in backoff starts
	ExecDeadline                   // when a launch that takes long is shown in the status
	KillDeadline                   // when a service that was told to stop is killed
	FinishDeadline                 // when finish is killed
	deadlines
)

// dueEvents has the event that follows when a deadline has passed.
var dueEvents = [deadlines]Kind{
	StartDeadline:  StartDue,
	ExecDeadline:   ExecSlow,
	KillDeadline:   KillDue,
	FinishDeadline: FinishDue,
}

// Deadlines has the time of each kind, the zero time where it is not set.
type Deadlines [deadlines]time.Time

// Next returns the earliest deadline, the zero time when none is set.
func (d *Deadlines) Next() (next time.Time) {
	for _, t := range d {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next
}

// Due clears the earliest of the deadlines that have passed and returns the
// event that follows; ok is false when none has passed.
func (d *Deadlines) Due(now time.Time) (ev Event, ok bool) {
	first := deadlines
	for kind, t := range d {
		if !t.IsZero() && !t.After(now) && (first == deadlines || t.Before(d[first])) {
			first = Deadline(kind)
		}
	}
	if first == deadlines {
		return Event{}, false
	}
	d[first] = time.Time{}
	return dueEvents[first].At(now), true
}
