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

// loadZone returns the time zone of TZ as tzset(3) of the GNU C library finds it:
// /etc/localtime if TZ is not set, else the file of that name in TZDIR, else the
// POSIX rule in TZ, such as CET-1CEST,M3.5.0,M10.5.0/3, else UTC.
func loadZone(e *applet.Env) *time.Location {
	name, given := "", false
	for _, v := range e.Environ() {
		// The first TZ counts, as for getenv(3).
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
	if loc, err := time.LoadLocationFromTZData(name, tzdataOfRule(name)); err == nil {
		return loc
	}
	return time.UTC
}

// tzdataOfRule returns a time zone file (RFC 8536) with the type UTC, no
// transitions, and the rule as its footer. Package time has no parser for rules
// but understands the footer; if it does not understand the rule the zone is UTC.
//
//	"TZif" '2' 15 zeros, six counts: isut isstd leap time type char
//	data block with 32-bit times: one type, one name
//	header and data block again, with 64-bit times
//	"\nRULE\n"
func tzdataOfRule(rule string) []byte {
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
