package services

import (
	"testing"

	"svinit/services/machine"
	"svinit/services/svdir"
)

// TestCommand: each command of svdir has an event of its own, no other byte has
// one, and what sends a signal sends that of the table.
func TestCommand(t *testing.T) {
	seen := make(map[machine.Event]byte)
	for i := range 256 {
		letter := byte(i)
		c, known := svdir.CommandOf(letter)
		ev, ok := command(letter)
		if ok != known || ok && (ev.Signal != c.Signal || ev.Group != c.Group) {
			t.Errorf("%q: %+v, %v, want %+v", letter, ev, ok, c)
		}
		if !ok {
			continue
		}
		if other, twice := seen[ev]; twice {
			t.Errorf("%q does what %q does", letter, other)
		}
		seen[ev] = letter
	}
	if len(seen) != len(svdir.Commands) {
		t.Errorf("%d events", len(seen))
	}
}

// FuzzControl: any bytes in control, in any state, do nothing impossible.
func FuzzControl(f *testing.F) {
	f.Add([]byte("udoOxpchaitkq12byrlPCK"), uint8(0))
	f.Add([]byte("\x00\xff\nuuuuddddxxxx"), uint8(2))
	f.Fuzz(func(t *testing.T, bytes []byte, st uint8) {
		m := machine.Machine{State: machine.State(st % uint8(machine.StateReleased)), Want: machine.WantUp}
		for _, c := range bytes {
			ev, ok := command(c)
			if !ok {
				continue
			}
			state := m.State
			effects := m.Step(ev)
			if effects.Has(machine.ReportImpossible) {
				t.Fatalf("%q is impossible while %v", c, state)
			}
			if effects.Has(machine.Send) && state != machine.StateUp && state != machine.StateStarting {
				t.Fatalf("%q sends %v while %v", c, effects.All(), state)
			}
			if m.State == machine.StateReleased {
				return
			}
		}
	})
}
