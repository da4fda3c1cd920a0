package filter

import (
	"time"

	"svinit/services/tai64n"
)

// timeLabel is the prefix of lines for the action t: "@", a TAI64N label in hexadecimal
// and a space. The clock is read once for each read(2); the labels of the lines of one
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

// next returns the label for the next line. It is valid until the next call.
func (t *timeLabel) next() []byte {
	t.nanos++
	// Mostly only the last digit changes.
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
