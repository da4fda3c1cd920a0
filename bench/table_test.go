package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestBest(t *testing.T) {
	r := newResults()
	r.add(current, false, 1)
	r.add(previous, false, 0.5)
	r.add("slow", true, 9)
	r.add("fast", true, 3)
	r.add("fast", true, 5)
	r.add("broken", true, 0)
	r.fail("broken", "timed out")
	if peer, v := r.best(false); peer != "fast" || v != 4 {
		t.Errorf("least: got %s %v, want fast 4", peer, v)
	}
	if peer, v := r.best(true); peer != "slow" || v != 9 {
		t.Errorf("most: got %s %v, want slow 9", peer, v)
	}
}

func TestCompareOld(t *testing.T) {
	for _, c := range []struct {
		name          string
		current, old  samples
		largest       bool
		ratio, marked string
	}{
		{"equal", samples{2, 2, 2, 2, 2}, samples{2, 2, 2, 2, 2}, false, "1.000", ""},
		{"within the tolerance", samples{102, 102, 102, 102, 102}, samples{100, 100, 100, 100, 100}, false, "1.020", ""},
		{"slower", samples{104, 104, 104, 104, 104}, samples{100, 100, 100, 100, 100}, false, "1.040", worse},
		{"slower, within the noise", samples{90, 91, 104, 109, 110}, samples{80, 81, 100, 119, 120}, false, "1.040", maybeWorse},
		{"slower, too few samples", samples{104}, samples{100}, false, "1.040", maybeWorse},
		{"faster", samples{50, 50, 50, 50, 50}, samples{100, 100, 100, 100, 100}, false, "0.500", ""},
		{"a lower rate", samples{90, 90, 90, 90, 90}, samples{100, 100, 100, 100, 100}, true, "0.900", worse},
		{"a higher rate", samples{110, 110, 110, 110, 110}, samples{100, 100, 100, 100, 100}, true, "1.100", ""},
		{"both zero", samples{0, 0, 0, 0, 0}, samples{0, 0, 0, 0, 0}, false, "", ""},
		{"the old one zero", samples{5, 5, 5, 5, 5}, samples{0, 0, 0, 0, 0}, false, "", worse},
		{"no old one", samples{5, 5, 5, 5, 5}, nil, false, "", ""},
		{"only the old one", nil, samples{5, 5, 5, 5, 5}, false, "", ""},
	} {
		res := newResults()
		for _, v := range c.current {
			res.add(current, false, v)
		}
		for _, v := range c.old {
			res.add(previous, false, v)
		}
		var r row
		r.compareOld(res, c.largest)
		if r.oldRatio != c.ratio || r.worse != c.marked {
			t.Errorf("%s: got %q %q, want %q %q", c.name, r.oldRatio, r.worse, c.ratio, c.marked)
		}
	}
}

func TestCompareOldFailure(t *testing.T) {
	res := newResults()
	res.add(previous, false, 1)
	res.fail(current, "timed out")
	var r row
	if r.compareOld(res, false); r.worse != worse {
		t.Errorf("a failure of the new binary alone: got %q, want %q", r.worse, worse)
	}
}

// The comparison has columns of its own only if there is an old binary.
func TestPrint(t *testing.T) {
	for _, c := range []struct {
		columns []string
		want    string
	}{
		{[]string{current, "peer"}, "     svinit  peer  ratio  target\n  x       2     4   0.50  < 3     pass\n"},
		{[]string{current, previous, "peer"}, "     svinit  old  peer  ratio  new/old          target\n  x       2    1     4   0.50    2.000  worse?  < 3     pass\n"},
	} {
		res := newResults()
		res.add(current, false, 2)
		if len(c.columns) == 3 {
			res.add(previous, false, 1)
		}
		res.add("peer", true, 4)
		s := newSection("title", c.columns)
		s.row("x", "%.0f", res, false).target(res, false, true, "< 3", func(ours, _ float64) bool { return ours < 3 })
		var out bytes.Buffer
		s.print(&out, false)
		if got := strings.TrimPrefix(out.String(), "\ntitle\n"); got != c.want {
			t.Errorf("columns %q: got\n%swant\n%s", c.columns, got, c.want)
		}
	}
}

func TestChoose(t *testing.T) {
	if all, err := choose(""); err != nil || len(all) != len(measurements) {
		t.Errorf("no list: got %d sections, %v", len(all), err)
	}
	chosen, err := choose("stop,start")
	if err != nil || len(chosen) != 2 || chosen[0].name != "start" || chosen[1].name != "stop" {
		t.Errorf("stop,start: got %v, %v", chosen, err)
	}
	if _, err := choose("star"); err == nil {
		t.Error("star: got no error")
	}
}
