package services

import "testing"

// FuzzControl: any bytes in control, in any state, do nothing impossible.
func FuzzControl(f *testing.F) {
	f.Add([]byte("udoOxpchaitkq12byrlPCK"), uint8(0))
	f.Add([]byte("\x00\xff\nuuuuddddxxxx"), uint8(2))
	f.Fuzz(func(t *testing.T, bytes []byte, st uint8) {
		m := machine{state: state(st % uint8(over)), want: wantUp}
		for _, c := range bytes {
			ev, in, ok := command(c)
			if !ok {
				continue
			}
			m.step(ev, in)
			if m.todo&doImpossible != 0 {
				t.Fatalf("%q is impossible while %v", c, m.state)
			}
			if len(m.signals) > 0 && m.state != up {
				t.Fatalf("%q sends %v while %v", c, m.signals, m.state)
			}
			if m.state == over {
				return
			}
		}
	})
}
