// Package tai64n turns times into TAI64N labels and back.
//
// A TAI64N label is twelve bytes, big-endian
// (https://cr.yp.to/libtai/tai64.html):
//
//	0                8            12
//	| 2^62 + seconds | nanoseconds |
//
// daemontools and runit count the seconds as Unix time plus ten, the
// difference between TAI and UTC in 1970, without leap seconds. So does this
// package, or their tools would show times that differ by the leap seconds
// since.
//
// In text a label is "@" and its bytes as 24 hexadecimal digits: [AppendText]
// writes it, and [Digits] reads what follows the "@".
package tai64n

import (
	"encoding/binary"
	"time"
)

// Size is the length of a packed label in bytes.
const Size = 12

// TextSize is the length of a label in text: "@" and its digits.
const TextSize = 1 + 2*Size

// epoch is the TAI64 second of Unix time zero in daemontools.
const epoch = 1<<62 + 10

// Append appends the packed label of t to b.
func Append(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, Seconds(t))
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

// AppendText appends the label of t to b as tai64n(8) writes it: "@" and 24
// hexadecimal digits in lower case.
func AppendText(b []byte, t time.Time) []byte {
	const digits = "0123456789abcdef"
	var packed [Size]byte
	Append(packed[:0], t)
	b = append(b, '@')
	for _, c := range packed {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}

// Digits reads the lower-case hexadecimal digits at the beginning of text, and
// returns their number n. As in tai64nlocal(8), any number is accepted: the last
// eight are the nanoseconds, the sixteen before them the TAI64 second; missing
// digits are zero, and those before the last 24 are ignored. The nanoseconds may
// be more than a second.
func Digits[T string | []byte](text T) (seconds uint64, nanos uint32, n int) {
	for n < len(text) {
		d := digit[text[n]]
		if d == 0 {
			break
		}
		seconds = seconds<<4 | uint64(nanos>>28)
		nanos = nanos<<4 | uint32(d-1)
		n++
	}
	return seconds, nanos, n
}

// digit is, for each byte, its value as a digit plus one, and 0 for a byte that
// is not a digit.
var digit = [256]uint8{
	'0': 1, '1': 2, '2': 3, '3': 4, '4': 5, '5': 6, '6': 7, '7': 8,
	'8': 9, '9': 10, 'a': 11, 'b': 12, 'c': 13, 'd': 14, 'e': 15, 'f': 16,
}

// Parse returns the time of the packed label in the first Size bytes of b. It
// panics when b is shorter. Any twelve bytes are a time: nanoseconds beyond a
// second carry into the seconds.
func Parse(b []byte) time.Time {
	return Unix(binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:]))
}

// Seconds returns the TAI64 second of t.
func Seconds(t time.Time) uint64 { return uint64(t.Unix()) + epoch }

// Unix returns the time of a TAI64 second and the nanoseconds after it.
func Unix(seconds uint64, nanos uint32) time.Time {
	return time.Unix(int64(seconds-epoch), int64(nanos))
}
