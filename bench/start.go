package main

import (
	"fmt"
	"time"
)

// measureStart: from the exec of PID 1 to the first instruction of the last of
// N services.
func measureStart(b *bench) *section {
	all := b.present(svinit, daemontools, runit, s6, supervisord, floor)
	s := &section{title: "start: exec of PID 1 to all N services running, ms", columns: titles(all)}
	for _, step := range []struct{ services, full, brief int }{
		{1, 25, 7}, {10, 21, 5}, {100, 9, 3}, {500, 5, 1},
	} {
		t := newTally()
		for round := range b.times(step.full, step.brief) {
			for _, c := range all {
				// Python takes a second for a hundred: enough to know its place.
				slow := c.name == supervisord.name
				if t.failed(c.name) || slow && (step.services > 100 || round >= b.times(3, 1)) {
					continue
				}
				took, err := b.startOnce(c, step.services)
				if err != nil {
					t.fail(c.name, err.Error())
					continue
				}
				t.add(c.name, c.peer, ms(took))
			}
		}
		r := s.row(fmt.Sprintf("N = %d", step.services), "%.1f", t, false)
		if step.services == 1 {
			r.judge(t, false, false, "best peer + 4 ms", func(ours, best float64) bool { return ours <= best+4 })
		} else {
			r.judge(t, false, false, "1.1 of best peer", func(ours, best float64) bool { return ours <= 1.1*best })
		}
	}
	s.note("The C loop vforks, chdirs and execs, no more: it is what the kernel takes, and no peer.")
	return s
}

func (b *bench) startOnce(c contender, n int) (time.Duration, error) {
	w, err := b.world(plan{services: n})
	if err != nil {
		return 0, err
	}
	defer w.close()
	if err := w.boot(c.argv(w), nil); err != nil {
		return 0, err
	}
	return w.up(n)
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }
