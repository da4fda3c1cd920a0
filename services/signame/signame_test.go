package signame

import (
	"syscall"
	"testing"
)

func TestName(t *testing.T) {
	for sig, want := range map[syscall.Signal][2]string{
		syscall.SIGTERM: {"TERM", "SIGTERM"}, syscall.SIGUSR1: {"USR1", "SIGUSR1"}, 32: {"32", "32"}, 34: {"RTMIN+0", "SIGRTMIN+0"},
		37: {"RTMIN+3", "SIGRTMIN+3"}, 64: {"RTMIN+30", "SIGRTMIN+30"}, 65: {"65", "65"}, 0: {"0", "0"}, -1: {"-1", "-1"},
	} {
		if got := [2]string{Name(sig), Full(sig)}; got != want {
			t.Errorf("%d: %q, want %q", sig, got, want)
		}
	}
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		for _, name := range []string{Name(sig), Full(sig)} {
			if got, err := Parse(name); got != sig || err != nil {
				t.Errorf("%s: %d, %v, want %d", name, got, err, sig)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]syscall.Signal{
		"TERM": 15, "SIGTERM": 15, "term": 15, " sigterm\n": 15, "15": 15, "+15": 15, "015": 15, "64": 64, "RTMIN": 34, "SIGRTMIN": 34,
		"rtmin+3": 37, "RTMIN+30": 64, "RTMAX": 64, "RTMAX-1": 63, "RTMAX-30": 34,
		"": 0, "SIG": 0, "0": 0, "65": 0, "-15": 0, "1 5": 0, "0x1": 0, "SIG15": 0, "SIGSIGTERM": 0, "TERM ": 15, "NONE": 0,
		"RTMIN+31": 0, "RTMIN-1": 0, "RTMIN3": 37, "RTMIN+": 0, "RTMAX+1": 0, "RTMAX-31": 0, "RTMAX1": 0, "RTMIN+x": 0, "RTMIN+99999999999999999999": 0,
	} {
		if got, err := Parse(text); got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
}
