package filter

import (
	"time"

	"svinit/services/tai64n"
)

// timeLabel is "@", a TAI64N label in hexadecimal and a space: what t begins
// lines with. The clock is read once for each read(2), and the lines of one
// read are a nanosecond apart, so that sorting keeps their order.
type timeLabel struct {
	text  [tai64n.TextSize + 1]byte
	nanos int64 // of Unix time
}

// set sets the label to a time.
func (t *timeLabel) set(now time.Time) {
	t.nanos = now.UnixNano()
	t.format()
}

// next returns the label for a line; it is good until the next call.
func (t *timeLabel) next() []byte {
	t.nanos++
	// The last digit is all that changes in most cases.
	if last := &t.text[tai64n.TextSize-1]; *last != '9' && *last != 'f' {
		*last++
	} else {
		t.format()
	}
	return t.text[:]
}

func (t *timeLabel) format() {
	tai64n.AppendText(t.text[:0], time.Unix(0, t.nanos))
	t.text[tai64n.TextSize] = ' '
}
