package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// measureMemory: the proportional set size of everything that supervises,
// services and loggers themselves left out. One world at a time: two of a kind
// would share pages and halve each other's share.
func measureMemory(b *bench) *section {
	all := b.present(svinit, daemontools, runit, s6, supervisord)
	s := &section{title: "memory: PSS of PID 1 and all its supervisors, KB", columns: titles(all)}
	steps := []struct {
		what    string
		n       int
		loggers bool
	}{
		{"1 service", 1, false}, {"100 services", 100, false}, {"500 services", 500, false}, {"100 with a logger each", 100, true},
	}
	found := make([]*tally, len(steps))
	for i := range steps {
		found[i] = newTally()
	}
	for range b.times(3, 1) {
		for i, step := range steps {
			for _, c := range all {
				if found[i].failed(c.name) || c.name == supervisord.name && (step.n > 100 || step.loggers || len(found[i].samples[c.name]) > 0) {
					continue
				}
				kb, err := b.memoryOnce(c, step.n, step.loggers)
				if err != nil {
					found[i].fail(c.name, err.Error())
					continue
				}
				found[i].add(c.name, c.peer, kb)
			}
		}
	}
	for i, step := range steps {
		r := s.row(step.what, "%.0f", found[i], false)
		if i == 0 {
			r.judge(found[i], false, true, "< 4096 KB", func(ours, _ float64) bool { return ours < 4096 })
		}
	}
	for _, d := range []struct {
		what     string
		from, to int
		by       float64
	}{
		{"each further service, 1 to 100", 0, 1, 99}, {"each further service, 100 to 500", 1, 2, 400}, {"each logger", 1, 3, 100},
	} {
		t := newTally()
		for _, c := range all {
			x, okx := found[d.from].median(c.name)
			y, oky := found[d.to].median(c.name)
			if okx && oky {
				t.add(c.name, c.peer, (y-x)/d.by)
			} else if found[d.from].failed(c.name) || found[d.to].failed(c.name) {
				t.fail(c.name, "unknown")
			}
		}
		s.row(d.what, "%.1f", t, false).
			judge(t, false, true, "<= 12 KB", func(ours, _ float64) bool { return ours <= 12 })
	}
	return s
}

func (b *bench) memoryOnce(c contender, n int, loggers bool) (float64, error) {
	w, err := b.world(plan{services: n, loggers: loggers})
	if err != nil {
		return 0, err
	}
	defer w.close()
	if err := w.boot(c.argv(w), nil); err != nil {
		return 0, err
	}
	if _, err := w.up(n); err != nil {
		return 0, err
	}
	if loggers {
		if _, err := w.until(patience, func(all []stamp) bool { return count(all, stampLogger) >= n }); err != nil {
			return 0, fmt.Errorf("loggers: %w", err)
		}
	}
	// The Go runtime gives pages back a little later; the C ones are as they are.
	rest := 300 * time.Millisecond
	if c.name == "svinit" && !b.quick {
		rest = 2 * time.Second
	}
	time.Sleep(rest)
	total := 0.0
	for _, pid := range w.supervisors() {
		kb, err := pss(pid)
		if err != nil {
			return 0, err
		}
		total += kb
	}
	return total, nil
}

func pss(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	_, v, _ := strings.Cut(string(text), "\nPss:")
	v, _, _ = strings.Cut(v, "kB")
	return strconv.ParseFloat(strings.TrimSpace(v), 64)
}
