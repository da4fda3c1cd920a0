package services

import (
	"testing"

	"svinit/services/machine"
)

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
			if effects.Has(machine.Send) && state != machine.StateUp {
				t.Fatalf("%q sends %v while %v", c, effects.All(), state)
			}
			if m.State == machine.StateReleased {
				return
			}
		}
	})
}
