package filter

import (
	"math"
	"strconv"
	"time"

	"svinit/services/tai64n"
)

// clock writes local times as tai64nlocal(8) does. It remembers the day, and
// between which moments the offset of the zone is the same, since the labels
// of a log follow each other.
type clock struct {
	loc      *time.Location
	from, to int64 // Unix seconds between which offset holds; none at first
	offset   int64 // seconds east of UTC
	day      int64 // of date, since 1970; in local time
	date     []byte
}

func newClock(loc *time.Location) *clock { return &clock{loc: loc, day: math.MinInt64} }

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

// The moments that localtime(3) has a date for: years are counted in an int
// there, from 1900.
const (
	yearLeast = math.MinInt32 + 1900
	yearMost  = math.MaxInt32 + 1900
	// farthest is more than any such moment is away, in seconds.
	farthest = (1<<31 + 2000) * 366 * day
)

// append appends a label's local time to b, as in "2026-11-23
// 14:05:09.123456789". Nanoseconds of more than a second are more digits, and
// years that no int holds are what becomes of them, as in the original. It
// returns false for a time without a date, for which the original crashes.
func (c *clock) append(b []byte, seconds uint64, nanos uint32) ([]byte, bool) {
	unix := tai64n.Unix(seconds, 0).Unix()
	if unix < -farthest || unix > farthest {
		return b, false
	}
	if unix < c.from || unix >= c.to {
		c.enter(unix)
	}
	at := unix + c.offset
	today := at / day
	if at < today*day {
		today--
	}
	if today != c.day && !c.turn(today) {
		return b, false
	}
	b = append(b, c.date...)
	rest := int(at - today*day)
	b = two(b, rest/hour, ':')
	b = two(b, rest/minute%60, ':')
	b = two(b, rest%minute, '.')
	if nanos >= 1e9 {
		return strconv.AppendUint(b, uint64(nanos), 10), true
	}
	var digits [9]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + nanos%10)
		nanos /= 10
	}
	return append(b, digits[:]...), true
}

// enter finds out which offset holds at a moment, and how long.
func (c *clock) enter(unix int64) {
	t := time.Unix(unix, 0).In(c.loc)
	_, offset := t.Zone()
	c.offset, c.from, c.to = int64(offset), math.MinInt64, math.MaxInt64
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		c.from = start.Unix()
	}
	if !end.IsZero() {
		c.to = end.Unix()
	}
}

// turn writes the date of a day. It returns false when there is none.
func (c *clock) turn(today int64) bool {
	year, month, dom := time.Unix(today*day, 0).UTC().Date()
	if int64(year) < yearLeast || int64(year) > yearMost {
		return false
	}
	c.day = today
	c.date = strconv.AppendUint(c.date[:0], uint64(int32(year)), 10)
	c.date = append(c.date, '-')
	c.date = two(c.date, int(month), '-')
	c.date = two(c.date, dom, ' ')
	return true
}

// two appends a number below 100 in two digits, and what comes after them.
func two(b []byte, n int, after byte) []byte {
	return append(b, byte('0'+n/10), byte('0'+n%10), after)
}
