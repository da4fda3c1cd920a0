package main

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// said is what talker i's line n looks like on svinit's stdout.
func said(i, n int) string {
	payload := strings.Repeat("x", n)
	return fmt.Sprintf("%s: %d %d %08x %s\n", name(i), n, n, crc32.ChecksumIEEE([]byte(payload)), payload)
}

// conversation is three lines of every talker, all whole.
func conversation() (all []string) {
	for n := range 3 {
		for i := range talkers {
			all = append(all, said(i, n))
		}
	}
	return all
}

// The check of lines must find every kind of damage it claims to find.
func TestCheckLines(t *testing.T) {
	last := talkers*3 - 1
	for _, c := range []struct {
		damage string
		do     func(lines []string) []string
		want   string
	}{
		{"none", func(l []string) []string { return l }, ""},
		{"a line lost", func(l []string) []string { return append(l[:talkers], l[talkers+1:]...) }, "line 1 of s0000 expected"},
		{"two lines of one service exchanged", func(l []string) []string { l[0], l[talkers] = l[talkers], l[0]; return l }, "line 0 of s0000 expected"},
		{"a name missing", func(l []string) []string { l[5] = strings.TrimPrefix(l[5], "s0005: "); return l }, "torn"},
		{"a byte changed", func(l []string) []string { l[last] = strings.Replace(l[last], "xx", "xy", 1); return l }, "mixed line"},
		{"a byte lost", func(l []string) []string { l[last] = strings.Replace(l[last], "xx", "x", 1); return l }, "torn or mixed line"},
		{"two lines mixed", func(l []string) []string {
			l[last] = strings.Replace(l[last], "xx", "x"+strings.TrimSuffix(l[0], "\n")+"x", 1)
			return l
		}, "torn or mixed line"},
		{"the end missing", func(l []string) []string { return l[:last] }, "1 lines still to come"},
	} {
		_, err := checkLines(strings.NewReader(strings.Join(c.do(conversation()), "")), 3)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.damage, err, c.want)
		}
	}
}

func TestBest(t *testing.T) {
	m := newTally()
	m.add("svinit", false, 1)
	m.add("slow", true, 9)
	m.add("fast", true, 3)
	m.add("fast", true, 5)
	m.add("broken", true, 0)
	m.fail("broken", "timed out")
	if who, v := m.best(false); who != "fast" || v != 4 {
		t.Errorf("least: got %s %v, want fast 4", who, v)
	}
	if who, v := m.best(true); who != "slow" || v != 9 {
		t.Errorf("most: got %s %v, want slow 9", who, v)
	}
}
