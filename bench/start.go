package main

import (
	"fmt"
	"time"
)

// measureStart: from the exec of PID 1 to the first instruction of the last of
// N services.
func measureStart(b *bench) *section {
	all := b.present(svinit, old, daemontools, runit, s6, supervisord, baseline)
	s := newSection("start: exec of PID 1 until all N services run, ms", titles(all))
	for _, step := range []struct{ services, full, brief int }{
		{1, 25, 7}, {10, 21, 5}, {100, 9, 3}, {500, 5, 1},
	} {
		res := newResults()
		for round := range b.times(step.full, step.brief) {
			for _, c := range inTurn(all, round) {
				// supervisord takes more than a second: a few rounds are enough.
				slow := c.name == supervisord.name
				if res.failed(c.name) || slow && (step.services > 100 || round >= b.times(3, 1)) {
					continue
				}
				took, err := b.startOnce(c, step.services)
				if err != nil {
					res.fail(c.name, err.Error())
					continue
				}
				res.add(c.name, c.peer, ms(took))
			}
		}
		r := s.row(fmt.Sprintf("N = %d", step.services), "%.1f", res, false)
		if step.services == 1 {
			r.target(res, false, false, "best peer + 4 ms", func(ours, best float64) bool { return ours <= best+4 })
		} else {
			r.target(res, false, false, "1.1 of best peer", func(ours, best float64) bool { return ours <= 1.1*best })
		}
	}
	s.note("The C loop only calls vfork, chdir and exec for every service: its time is that of the kernel.")
	return s
}

func (b *bench) startOnce(c contender, n int) (time.Duration, error) {
	s, err := b.sandbox(layout{services: n})
	if err != nil {
		return 0, err
	}
	defer s.close()
	if err := s.boot(c.argv(s), nil); err != nil {
		return 0, err
	}
	return s.started(n)
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }
