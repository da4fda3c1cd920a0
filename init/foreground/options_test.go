package foreground

import "testing"

// FuzzSignals: whatever is in the variable, what was understood is signals.
func FuzzSignals(f *testing.F) {
	for _, s := range []string{"TERM=QUIT,HUP=", "15=3", "=", ",,", "TERM=TERM=TERM", "RTMIN=1", "\x00=\xff", "9999999999999999999=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var m SignalMap
		if m.Decode(s) != nil {
			return
		}
		for from, to := range m {
			if from < 1 || from > 64 || to < 0 || to > 64 {
				t.Errorf("%q: %d becomes %d", s, from, to)
			}
		}
	})
}
