package main

import (
	"fmt"
	"syscall"
	"time"
)

// measureStop: from the signal to PID 1 until the kernel has removed the PID
// namespace, and how many of the services exited by their own handler. A PID 1
// that exits at once is fast, because the kernel kills its services.
func measureStop(b *bench) *section {
	n := 100
	all := b.present(svinit, old, daemontools, runit, s6, supervisord, baseline)
	s := newSection(fmt.Sprintf("stop: signal to PID 1 until its namespace is gone, ms (%d services that exit at once on TERM)", n), titles(all))
	times, exited := newResults(), newResults()
	for round := range b.times(15, 3) {
		for _, c := range inTurn(all, round) {
			if times.failed(c.name) || (c.name == supervisord.name && round > 1) {
				continue
			}
			if c.stop == 0 {
				times.fail(c.name, "cannot")
				exited.fail(c.name, "-")
				continue
			}
			took, own, err := b.stopOnce(c, n)
			if err != nil {
				times.fail(c.name, err.Error())
				continue
			}
			// A peer whose services are killed does not count as the best peer.
			times.add(c.name, c.peer && own == n, ms(took))
			exited.add(c.name, false, float64(own))
		}
	}
	s.row("signal to end", "%.1f", times, false).
		target(times, false, true, "< 45 ms", func(ours, _ float64) bool { return ours < 45 })
	s.row("services that exited themselves", "%.0f", exited, true).
		target(exited, true, true, fmt.Sprintf("all %d, every time", n), func(float64, float64) bool {
			return exited.samples[current].quantile(0) == float64(n)
		})
	s.note("svscan of daemontools has no handler for TERM, so the kernel ignores it for PID 1. runsvdir gets HUP, sends TERM to its runsv")
	s.note("processes and exits without waiting for them: the kernel kills the remaining services.")
	return s
}

func (b *bench) stopOnce(c contender, n int) (took time.Duration, exited int, err error) {
	s, err := b.running(c, layout{services: n})
	if err != nil {
		return 0, 0, err
	}
	defer s.close()
	time.Sleep(100 * time.Millisecond) // until it is idle
	begin := now()
	if err := syscall.Kill(s.pid, c.stop); err != nil {
		return 0, 0, err
	}
	_, err = wait(s.pid, stepTimeout)
	took = time.Duration(now() - begin)
	s.pid = 0
	return took, count(s.trace.read(), stampTerm), err
}
