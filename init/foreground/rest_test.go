package foreground

import (
	"io"
	"slices"
	"strings"
	"testing"
)

// The lines are the same however much a read returns.
func TestReadLines(t *testing.T) {
	want := []string{"a", "", "bb bb", strings.Repeat("c", 3000), strings.Repeat("d", 2000), "e"}
	text := strings.Join(want, "\n") + "\n"
	for size := 1; size < 5000; size = size*3 + 1 {
		rest, got := text, []string(nil)
		readLines(func(b []byte) (int, error) {
			if rest == "" {
				return 0, io.EOF
			}
			n := copy(b, rest[:min(size, len(rest))])
			rest = rest[n:]
			return n, nil
		}, func(line []byte) { got = append(got, string(line)) })
		if !slices.Equal(got, want) {
			t.Errorf("%d bytes at a time: %d lines", size, len(got))
		}
	}
}

// Neither reading the memory map nor what follows from it allocates much.
func TestRestAllocates(t *testing.T) {
	if n := testing.AllocsPerRun(5, rest); n > 30 {
		t.Errorf("%v allocations", n)
	}
}

// Only unchanged mappings of the executable are given back.
func TestResting(t *testing.T) {
	r := resting{exe: []byte("/bin/with space")}
	for _, test := range []struct {
		line string
		end  uint64
	}{
		{"00400000-00401000 r-xp 00000000 fe:00 1234                               /bin/with space", 0x401000},
		{"Rss:                  4 kB", 0x401000},
		{"VmFlags: rd ex mr mw me sd ", 0x401000},
		{"00402000-00403000 rw-p 00000000 fe:00 1234                               /bin/with space", 0},
		{"00404000-00405000 r--p 00000000 fe:00 1234                               /bin/with space2", 0},
		{"7ffd0000-7ffe0000 r--p 00000000 00:00 0                                  [stack]", 0},
		{"Anonymous:             0 kB", 0},
	} {
		if r.line([]byte(test.line)); r.end != test.end {
			t.Errorf("after %q the end is %x", test.line, r.end)
		}
	}
}
