package main

import (
	"fmt"
	"syscall"
	"time"
)

// stopSignal is what ends each contender as PID 1, as its documentation says.
var stopSignal = map[string]syscall.Signal{
	"svinit":      syscall.SIGTERM,
	"s6":          syscall.SIGTERM,
	"runit":       syscall.SIGHUP, // TERM would not even tell its runsvs
	"supervisord": syscall.SIGTERM,
	"C loop":      syscall.SIGTERM,
}

// measureStop: from the signal to PID 1 until the kernel has taken the
// namespace down, and how many of the services came to end by themselves. A
// PID 1 that just ends is fast: the kernel kills everybody for it.
func measureStop(b *bench) *section {
	n := 100
	all := b.present(svinit, daemontools, runit, s6, supervisord, floor)
	s := &section{title: fmt.Sprintf("stop: signal to PID 1 until the namespace is gone, ms (%d services that end at once on TERM)", n), columns: titles(all)}
	t, ended := newTally(), newTally()
	for round := range b.times(15, 3) {
		for _, c := range all {
			if t.failed(c.name) || (c.name == supervisord.name && round > 1) {
				continue
			}
			if stopSignal[c.name] == 0 {
				t.fail(c.name, "cannot")
				ended.fail(c.name, "-")
				continue
			}
			took, own, err := b.stopOnce(c, n)
			if err != nil {
				t.fail(c.name, err.Error())
				continue
			}
			// Whoever kills its services is no model for how fast one can be.
			t.add(c.name, c.peer && own == n, ms(took))
			ended.add(c.name, false, float64(own))
		}
	}
	s.row("TERM to gone", "%.1f", t, false).
		judge(t, false, true, "< 45 ms", func(ours, _ float64) bool { return ours < 45 })
	r := s.row("ended by themselves", "%.0f", ended, false)
	r.judge(ended, false, true, fmt.Sprintf("all %d, every time", n), func(float64, float64) bool {
		return ended.samples["svinit"].quantile(0) == float64(n)
	})
	s.note("daemontools' svscan has no handler, so that a PID 1's TERM is dropped; runsvdir gets HUP, tells its runsvs and leaves at once, and the kernel kills what is left.")
	return s
}

func (b *bench) stopOnce(c contender, n int) (time.Duration, int, error) {
	w, err := b.world(plan{services: n})
	if err != nil {
		return 0, 0, err
	}
	defer w.close()
	if err := w.boot(c.argv(w), nil); err != nil {
		return 0, 0, err
	}
	if _, err := w.up(n); err != nil {
		return 0, 0, err
	}
	time.Sleep(100 * time.Millisecond) // to come to rest
	begin := now()
	if err := syscall.Kill(w.pid, stopSignal[c.name]); err != nil {
		return 0, 0, err
	}
	_, err = wait(w.pid, patience)
	took := time.Duration(now() - begin)
	w.pid = 0
	return took, count(w.trace.read(), stampTerm), err
}
