package main

import (
	"fmt"
	"time"
)

// measureOrphans: a main program that makes orphaned processes at the highest
// possible rate, under each plain init. c/orphans.c explains how.
func measureOrphans(b *bench) *section {
	n := 20032 // a multiple of 64
	if b.quick {
		n = 4992
	}
	all := b.plainInits()
	s := newSection(fmt.Sprintf("orphans: %d, made as fast as one process can", n), initTitles(all))
	for _, way := range []struct {
		name     string
		perChild int
	}{{"double forks", 1}, {"64 of each child", 64}} {
		rate, lag, most, cpu := newResults(), newResults(), newResults(), newResults()
		for round := range b.times(5, 3) {
			for _, i := range inTurn(all, round) {
				if rate.failed(i.name) {
					continue
				}
				o, err := b.orphansOnce(i, n, way.perChild)
				if err != nil {
					rate.fail(i.name, err.Error())
					continue
				}
				// The targets are relative to tini; the other peers are for information.
				rate.add(i.name, i.name == "tini", o.rate)
				lag.add(i.name, i.peer, o.lag)
				most.add(i.name, false, o.most)
				cpu.add(i.name, i.name == "tini", o.cpu)
			}
		}
		s.row(way.name+", orphans a second", "%.0f", rate, true).
			target(rate, true, false, "tini's rate", func(ours, best float64) bool { return ours >= best })
		s.row("  last fork to last zombie reaped, ms", "%.2f", lag, false).
			target(lag, false, true, "<= 5 ms", func(ours, _ float64) bool { return ours <= 5 })
		s.row("  processor time of PID 1 for each, µs", "%.1f", cpu, false).
			target(cpu, false, false, "<= 4 x tini's", func(ours, best float64) bool { return ours <= 4*best })
		s.row("  most zombies at once", "%.0f", most, false)
	}
	return s
}

// orphanRound is the outcome of one round.
type orphanRound struct {
	rate float64 // orphans a second
	lag  float64 // from the last fork until the last zombie is reaped, ms
	most float64 // zombies at once
	cpu  float64 // processor time of PID 1 for each orphan, µs
}

func (b *bench) orphansOnce(i plainInit, n, perChild int) (orphanRound, error) {
	s, err := b.sandbox(layout{})
	if err != nil {
		return orphanRound{}, err
	}
	defer s.close()
	err = s.boot(i.argv(b, b.helper("orphans"), s.trace.file.Name(), fmt.Sprint(n), fmt.Sprint(perChild)), nil)
	if err != nil {
		return orphanRound{}, err
	}
	all, err := s.until(2*stepTimeout, func(all []stamp) bool { _, ok := find(all, 0, stampLast, 0); return ok })
	if err != nil {
		return orphanRound{}, err
	}
	begin, _ := find(all, 0, stampBegin, 0)
	last, _ := find(all, 0, stampLast, 0)
	reaped, _ := find(all, 0, stampReaped, 0)
	return orphanRound{
		rate: float64(n) / time.Duration(last.ns-begin.ns).Seconds(),
		lag:  ms(time.Duration(reaped.ns - last.ns)),
		most: float64(last.value),
		cpu:  float64(reaped.value) / 1000 / float64(n),
	}, nil
}
