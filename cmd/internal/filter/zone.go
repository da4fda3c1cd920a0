package filter

import (
	"encoding/binary"
	"os"
	"strings"
	"time"

	"svinit/cmd/internal/applet"
)

const (
	zoneDir   = "/usr/share/zoneinfo"
	localtime = "/etc/localtime"
)

// zone returns the time zone that TZ names, as tzset(3) of the GNU C library
// finds it: /etc/localtime when there is no TZ, else the file of that name
// below TZDIR, else the rule that TZ spells, as in CET-1CEST,M3.5.0,M10.5.0/3;
// and UTC when there is no such thing.
func zone(e *applet.Env) *time.Location {
	name, given := "", false
	for _, v := range e.Environ() {
		// The first counts, as for getenv(3).
		if name, given = strings.CutPrefix(v, "TZ="); given {
			break
		}
	}
	if !given {
		name = localtime
	}
	name = strings.TrimPrefix(name, ":")
	if name == "" {
		return time.UTC
	}
	path := name
	if name[0] != '/' {
		dir := e.Getenv("TZDIR")
		if dir == "" {
			dir = zoneDir
		}
		path = dir + "/" + name
	}
	if data, err := os.ReadFile(path); err == nil {
		if loc, err := time.LoadLocationFromTZData(name, data); err == nil {
			return loc
		}
	}
	if loc, err := time.LoadLocationFromTZData(name, footnote(name)); err == nil {
		return loc
	}
	return time.UTC
}

// footnote is a time zone file (RFC 8536) that knows UTC, no transitions, and
// the rule for the time after the last one, which package time understands.
// For a rule that it does not understand UTC remains.
//
//	"TZif" '2' 15 zeros, six counts: isut isstd leap time type char
//	that of times in 32 bits: a type, a name
//	the same again: that of times in 64 bits
//	"\nRULE\n"
func footnote(rule string) []byte {
	var b []byte
	for range 2 {
		b = append(b, "TZif2"...)
		b = append(b, make([]byte, 15)...)
		for _, count := range [6]uint32{4: 1, 5: 4} {
			b = binary.BigEndian.AppendUint32(b, count)
		}
		b = append(b, make([]byte, 6)...) // offset 0, no summer time, the first name
		b = append(b, "UTC\x00"...)
	}
	return append(append(append(b, '\n'), rule...), '\n')
}
