// Package tai64n turns times into TAI64N labels and back.
//
// A TAI64N label is twelve bytes, big-endian
// (https://cr.yp.to/libtai/tai64.html):
//
//	0                8            12
//	| 2^62 + seconds | nanoseconds |
//
// daemontools and runit count the seconds as Unix time plus ten, the
// difference of TAI and UTC in 1970, and know no leap seconds; so do we, or
// their tools would be off by the leap seconds since.
package tai64n

import (
	"encoding/binary"
	"time"
)

// Size is the length of a packed label in bytes.
const Size = 12

// epoch is the TAI64 second of Unix time zero, as daemontools has it.
const epoch = 1<<62 + 10

// Append appends the packed label of t to b.
func Append(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, Seconds(t))
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

// Parse returns the time of the packed label in the first Size bytes of b,
// which must be there. Any twelve bytes are a time; the nanoseconds of a
// damaged label carry into its seconds.
func Parse(b []byte) time.Time {
	return Unix(binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:]))
}

// Seconds returns the TAI64 second of t.
func Seconds(t time.Time) uint64 { return uint64(t.Unix()) + epoch }

// Unix returns the time of a TAI64 second and the nanoseconds after it.
func Unix(seconds uint64, nanos uint32) time.Time {
	return time.Unix(int64(seconds-epoch), int64(nanos))
}
