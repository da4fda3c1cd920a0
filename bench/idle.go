package main

import (
	"fmt"
	"time"
)

// measureIdle: the wake-ups of PID 1 and all other supervisors while nothing
// happens. All contenders are idle at the same time.
func measureIdle(b *bench) *section {
	n, period := 100, 20*time.Second
	if b.quick {
		period = 5 * time.Second
	}
	all := b.present(svinit, old, daemontools, runit, s6, supervisord)
	s := newSection(fmt.Sprintf("idle: voluntary context switches in %v with %d services", period, n), titles(all))
	one, tree := newResults(), newResults()
	type idler struct {
		contender
		*sandbox
		pid1, all int // context switches at the beginning
	}
	var idlers []idler
	for _, c := range all {
		box, err := b.running(c, layout{services: n})
		if err != nil {
			one.fail(c.name, err.Error())
			tree.fail(c.name, "-")
			continue
		}
		defer box.close()
		idlers = append(idlers, idler{contender: c, sandbox: box})
	}
	time.Sleep(3 * time.Second) // until they are idle
	for i, l := range idlers {
		idlers[i].pid1, idlers[i].all = l.switches()
	}
	time.Sleep(period)
	for _, l := range idlers {
		pid1, all := l.switches()
		one.add(l.name, l.peer, float64(pid1-l.pid1))
		tree.add(l.name, l.peer, float64(all-l.all))
	}
	s.row("PID 1, all threads", "%.0f", one, false).
		target(one, false, true, "0 +- 2", func(ours, _ float64) bool { return ours <= 2 })
	s.row("with its supervisors", "%.0f", tree, false)
	return s
}
