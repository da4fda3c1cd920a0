package main

import (
	"fmt"
	"time"
)

// memorySteps are the sizes at which memory is measured.
var memorySteps = []struct {
	what     string
	services int
	loggers  bool
}{
	{"1 service", 1, false}, {"100 services", 100, false}, {"500 services", 500, false}, {"100 with a logger each", 100, true},
}

// measureMemory: the proportional set size of PID 1 and all other supervisors,
// without services and loggers. Only one sandbox exists at a time: two instances
// of a program share pages, which halves the share of each.
func measureMemory(b *bench) *section {
	all := b.present(svinit, old, daemontools, runit, s6, supervisord)
	s := newSection("memory: PSS of PID 1 and all its supervisors, KB", titles(all))
	found := make([]*results, len(memorySteps))
	for i := range memorySteps {
		found[i] = newResults()
	}
	for round := range b.times(3, 1) {
		for i, step := range memorySteps {
			for _, c := range inTurn(all, round) {
				skip := c.name == supervisord.name && (round > 0 || step.services > 100 || step.loggers)
				if found[i].failed(c.name) || skip {
					continue
				}
				kb, err := b.memoryOnce(c, step.services, step.loggers)
				if err != nil {
					found[i].fail(c.name, err.Error())
					continue
				}
				found[i].add(c.name, c.peer, kb)
			}
		}
	}
	for i, step := range memorySteps {
		r := s.row(step.what, "%.0f", found[i], false)
		if i == 0 {
			r.target(found[i], false, true, "< 4096 KB", func(ours, _ float64) bool { return ours < 4096 })
		}
	}
	for _, d := range []struct {
		what     string
		from, to int // indexes of memorySteps
		n        float64
	}{
		{"each further service, 1 to 100", 0, 1, 99}, {"each further service, 100 to 500", 1, 2, 400}, {"each logger", 1, 3, 100},
	} {
		res := difference(all, found[d.from], found[d.to], d.n)
		s.row(d.what, "%.1f", res, false).
			target(res, false, true, "<= 12 KB", func(ours, _ float64) bool { return ours <= 12 })
	}
	return s
}

// difference is the difference of two medians of each contender, divided by n.
func difference(all []contender, from, to *results, n float64) *results {
	res := newResults()
	for _, c := range all {
		x, okx := from.median(c.name)
		y, oky := to.median(c.name)
		if okx && oky {
			res.add(c.name, c.peer, (y-x)/n)
		} else if from.failed(c.name) || to.failed(c.name) {
			res.fail(c.name, "unknown")
		}
	}
	return res
}

func (b *bench) memoryOnce(c contender, n int, loggers bool) (kb float64, err error) {
	s, err := b.running(c, layout{services: n, loggers: loggers})
	if err != nil {
		return 0, err
	}
	defer s.close()
	if loggers {
		if _, err := s.until(stepTimeout, func(all []stamp) bool { return count(all, stampLogger) >= n }); err != nil {
			return 0, fmt.Errorf("start loggers: %w", err)
		}
	}
	// The Go runtime returns free pages to the kernel only after a moment.
	pause := 300 * time.Millisecond
	if c.build != nil && !b.quick {
		pause = 2 * time.Second
	}
	time.Sleep(pause)
	for _, pid := range s.supervisors() {
		one, err := pss(pid)
		if err != nil {
			return 0, err
		}
		kb += one
	}
	return kb, nil
}
