package filter

import (
	"math"
	"strconv"
	"time"

	"svinit/services/tai64n"
)

// clock formats local times as tai64nlocal(8) does. It caches the date of the
// day and the offset of the zone with its period of validity, because the
// labels of a log are mostly close together.
type clock struct {
	loc                *time.Location
	validFrom, validTo int64 // Unix seconds between which offset holds; empty at first
	offset             int64 // seconds east of UTC
	day                int64 // of date: local days since 1970
	date               []byte
}

func newClock(loc *time.Location) *clock { return &clock{loc: loc, day: math.MinInt64} }

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

// The years that localtime(3) can represent: struct tm counts them in an int,
// from 1900.
const (
	minYear = math.MinInt32 + 1900
	maxYear = math.MaxInt32 + 1900
	// maxSeconds is larger than any Unix time in these years.
	maxSeconds = (1<<31 + 2000) * 366 * day
)

// appendTime appends a label's local time to b, as in "2026-11-23
// 14:05:09.123456789". As in the original, nanoseconds of more than a second
// have more digits, and years that overflow an int wrap around. It returns false
// for a time that localtime(3) cannot represent; the original crashes there.
func (c *clock) appendTime(b []byte, seconds uint64, nanos uint32) ([]byte, bool) {
	unix := tai64n.Unix(seconds, 0).Unix()
	if unix < -maxSeconds || unix > maxSeconds {
		return b, false
	}
	if unix < c.validFrom || unix >= c.validTo {
		c.loadOffset(unix)
	}
	local := unix + c.offset
	today := local / day
	if local < today*day {
		today--
	}
	if today != c.day && !c.loadDate(today) {
		return b, false
	}
	b = append(b, c.date...)
	rest := int(local - today*day)
	b = appendTwoDigits(b, rest/hour, ':')
	b = appendTwoDigits(b, rest/minute%60, ':')
	b = appendTwoDigits(b, rest%minute, '.')
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

// loadOffset sets the offset at a time, and its period of validity.
func (c *clock) loadOffset(unix int64) {
	t := time.Unix(unix, 0).In(c.loc)
	_, offset := t.Zone()
	c.offset, c.validFrom, c.validTo = int64(offset), math.MinInt64, math.MaxInt64
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		c.validFrom = start.Unix()
	}
	if !end.IsZero() {
		c.validTo = end.Unix()
	}
}

// loadDate sets the date to that of a day. It returns false if localtime(3)
// cannot represent it.
func (c *clock) loadDate(today int64) bool {
	year, month, dom := time.Unix(today*day, 0).UTC().Date()
	if int64(year) < minYear || int64(year) > maxYear {
		return false
	}
	c.day = today
	c.date = strconv.AppendUint(c.date[:0], uint64(int32(year)), 10)
	c.date = append(c.date, '-')
	c.date = appendTwoDigits(c.date, int(month), '-')
	c.date = appendTwoDigits(c.date, dom, ' ')
	return true
}

// appendTwoDigits appends a number below 100 in two digits, and the byte after.
func appendTwoDigits(b []byte, n int, after byte) []byte {
	return append(b, byte('0'+n/10), byte('0'+n%10), after)
}
