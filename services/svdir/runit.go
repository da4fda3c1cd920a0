package svdir

import "strconv"

// appendPID appends the text of runit's file pid: the number and a newline,
// nothing when the service is down (runsv(8)).
func (s Status) appendPID(b []byte) []byte {
	if s.PID == 0 {
		return b
	}
	return append(strconv.AppendInt(b, int64(s.PID), 10), '\n')
}

// appendStat appends the text of runit's file stat, as in "run, paused, want
// down".
func (s Status) appendStat(b []byte) []byte {
	switch s.State {
	case StateRun:
		b = append(b, "run"...)
	case StateFinish:
		b = append(b, "finish"...)
	default:
		b = append(b, "down"...)
	}
	if s.State != StateDown {
		if s.Paused {
			b = append(b, ", paused"...)
		}
		if s.GotTERM {
			b = append(b, ", got TERM"...)
		}
		if s.Want == WantDown {
			b = append(b, ", want down"...)
		}
	}
	return append(b, '\n')
}
