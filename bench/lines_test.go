package main

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// labelled is line n of writer i on svinit's stdout.
func labelled(i, n int) string {
	payload := strings.Repeat("x", n)
	return fmt.Sprintf("%s: %d %d %08x %s\n", name(i), n, n, crc32.ChecksumIEEE([]byte(payload)), payload)
}

// goodLines is three whole lines of every writer.
func goodLines() (all []string) {
	for n := range 3 {
		for i := range writers {
			all = append(all, labelled(i, n))
		}
	}
	return all
}

// checkLines must detect each kind of damage.
func TestCheckLines(t *testing.T) {
	last := writers*3 - 1
	for _, c := range []struct {
		damage string
		do     func(lines []string) []string
		want   string
	}{
		{"none", func(l []string) []string { return l }, ""},
		{"a line lost", func(l []string) []string { return append(l[:writers], l[writers+1:]...) }, "line 1 of s0000 expected"},
		{"two lines of one service exchanged", func(l []string) []string { l[0], l[writers] = l[writers], l[0]; return l }, "line 0 of s0000 expected"},
		{"a label missing", func(l []string) []string { l[5] = strings.TrimPrefix(l[5], "s0005: "); return l }, "torn"},
		{"a byte changed", func(l []string) []string { l[last] = strings.Replace(l[last], "xx", "xy", 1); return l }, "mixed line"},
		{"a byte lost", func(l []string) []string { l[last] = strings.Replace(l[last], "xx", "x", 1); return l }, "torn or mixed line"},
		{"two lines mixed", func(l []string) []string {
			l[last] = strings.Replace(l[last], "xx", "x"+strings.TrimSuffix(l[0], "\n")+"x", 1)
			return l
		}, "torn or mixed line"},
		{"the end missing", func(l []string) []string { return l[:last] }, "1 lines missing"},
	} {
		_, err := checkLines(strings.NewReader(strings.Join(c.do(goodLines()), "")), 3)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.damage, err, c.want)
		}
	}
}
