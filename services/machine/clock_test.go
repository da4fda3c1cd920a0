package machine

import (
	"testing"
	"time"
	"unsafe"
)

// jumped is t as it were had the clock been set meanwhile, by whole seconds.
// What time.Now returns is, as package time documents, the wall clock and the
// monotonic one; only its source says how (30 bits of nanoseconds and above
// them the seconds), and there is no other way to have the two disagree
// without setting the machine's clock.
func jumped(t time.Time, seconds int64) time.Time {
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall += uint64(seconds) << 30
	return t
}

// A clock that is set makes no service wait longer or start sooner.
func TestClockJumps(t *testing.T) {
	const year = 365 * 24 * 3600
	for _, seconds := range []int64{year, -year} {
		begun := time.Now()
		later := jumped(begun.Add(300*time.Millisecond), seconds)
		if wall := later.Round(0).Sub(begun.Round(0)); wall != 300*time.Millisecond+time.Duration(seconds)*time.Second {
			t.Fatalf("package time is not what this test takes it for: jumped by %v", wall)
		}
		m := Machine{Want: WantUp}
		m.Step(Up.At(begun))
		m.Step(Started.At(begun))
		m.Step(Exited.At(later))
		if wait := m.Deadlines.Next().Sub(later); wait != MinLife-300*time.Millisecond {
			t.Errorf("after a jump of %d s: due in %v", seconds, wait)
		}
		if _, ok := m.Deadlines.Due(later); ok {
			t.Errorf("after a jump of %d s: due at once", seconds)
		}
	}
}
