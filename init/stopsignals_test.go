package pid1

import (
	"testing"
	"testing/synctest"
	"time"
)

// A second stop signal counts unless it is the first one's duplicate, or later
// than the timeout.
func TestAgain(t *testing.T) {
	const timeout = 8 * time.Second
	for _, c := range []struct {
		after         time.Duration
		first, second int // the senders
		want          bool
	}{
		{0, 7, 7, false}, // timeout(1): to its child, and to the process group
		{999 * time.Millisecond, 7, 7, false},
		{time.Second, 7, 7, true},
		{0, 7, 8, true},
		{0, 0, 0, true}, // from the kernel, or from outside of the PID namespace
		{timeout - 1, 7, 7, true},
		{timeout, 7, 8, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var o order
			if o.again(c.first, timeout) {
				t.Errorf("%+v: the first one is not the second", c)
			}
			<-time.After(c.after)
			if got := o.again(c.second, timeout); got != c.want {
				t.Errorf("%+v: %v", c, got)
			}
		})
	}
}
