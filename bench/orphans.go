package main

import (
	"fmt"
	"time"
)

// measureOrphans: a main program that makes orphans as fast as the kernel lets
// it, under each plain init. See c/orphans.c for how, and why no faster.
func measureOrphans(b *bench) *section {
	n := 20032 // a multiple of 64
	if b.quick {
		n = 4992
	}
	s := &section{title: fmt.Sprintf("orphans: %d made as fast as one process can", n)}
	here := b.plainInits()
	for _, i := range here {
		s.columns = append(s.columns, i.name)
	}
	for _, how := range []struct {
		name   string
		litter int
	}{{"double forks", 1}, {"in litters of 64", 64}} {
		rate, lag, most, cpu := newTally(), newTally(), newTally(), newTally()
		for range b.times(5, 3) {
			for _, i := range here {
				if rate.failed(i.name) {
					continue
				}
				r, l, m, c, err := b.orphansOnce(i, n, how.litter)
				if err != nil {
					rate.fail(i.name, err.Error())
					continue
				}
				// The target names tini; the others are there to be seen.
				rate.add(i.name, i.name == "tini", r)
				lag.add(i.name, i.peer, l)
				most.add(i.name, false, m)
				cpu.add(i.name, i.name == "tini", c)
			}
		}
		s.row(how.name+", orphans a second", "%.0f", rate, true).
			judge(rate, true, false, "tini's rate", func(ours, best float64) bool { return ours >= best })
		s.row("  last fork to last zombie gone, ms", "%.2f", lag, false).
			judge(lag, false, true, "<= 5 ms", func(ours, _ float64) bool { return ours <= 5 })
		s.row("  processor time of PID 1 for each, µs", "%.1f", cpu, false).
			judge(cpu, false, false, "<= 4 x tini's", func(ours, best float64) bool { return ours <= 4*best })
		s.row("  most zombies seen at once", "%.0f", most, false)
	}
	return s
}

func (b *bench) orphansOnce(i plainInit, n, litter int) (rate, lag, most, cpu float64, err error) {
	w, err := b.world(plan{})
	if err != nil {
		return 0, 0, 0, 0, err
	}
	defer w.close()
	err = w.boot(i.argv(b, b.tool("orphans"), w.trace.file.Name(), fmt.Sprint(n), fmt.Sprint(litter)), nil)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	all, err := w.until(2*patience, func(all []stamp) bool { _, ok := find(all, 0, stampLast, 0); return ok })
	if err != nil {
		return 0, 0, 0, 0, err
	}
	begin, _ := find(all, 0, stampBegin, 0)
	end, _ := find(all, 0, stampLast, 0)
	gone, _ := find(all, 0, stampGone, 0)
	return float64(n) / time.Duration(end.ns-begin.ns).Seconds(), ms(time.Duration(gone.ns - end.ns)), float64(end.value), float64(gone.value) / 1000 / float64(n), nil
}
