package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// measureIdle: what PID 1 and its whole tree of supervisors do when there is
// nothing to do. All contenders idle at the same time, each counted by itself.
func measureIdle(b *bench) *section {
	n, long := 100, 20*time.Second
	if b.quick {
		long = 5 * time.Second
	}
	all := b.present(svinit, daemontools, runit, s6, supervisord)
	s := &section{title: fmt.Sprintf("idle: voluntary context switches in %v with %d services", long, n), columns: titles(all)}
	one, tree := newTally(), newTally()
	type quiet struct {
		contender
		*world
		one, tree int
	}
	var still []quiet
	for _, c := range all {
		w, err := b.world(plan{services: n})
		if err == nil {
			defer w.close()
			if err = w.boot(c.argv(w), nil); err == nil {
				_, err = w.up(n)
			}
		}
		if err != nil {
			one.fail(c.name, err.Error())
			continue
		}
		still = append(still, quiet{contender: c, world: w})
	}
	time.Sleep(3 * time.Second) // to come to rest
	for i, q := range still {
		still[i].one, still[i].tree = q.switches()
	}
	time.Sleep(long)
	for _, q := range still {
		o, t := q.switches()
		one.add(q.name, q.peer, float64(o-q.one))
		tree.add(q.name, q.peer, float64(t-q.tree))
	}
	s.row("PID 1, all threads", "%.0f", one, false).
		judge(one, false, true, "0 +- 2", func(ours, _ float64) bool { return ours <= 2 })
	s.row("with its supervisors", "%.0f", tree, false)
	return s
}

// switches counts them for PID 1, and for it and all supervisors below.
func (w *world) switches() (one, tree int) {
	for _, pid := range w.supervisors() {
		n := 0
		tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		for _, task := range tasks {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, task.Name()))
			_, v, _ := strings.Cut(string(text), "\nvoluntary_ctxt_switches:")
			v, _, _ = strings.Cut(v, "\n")
			k, _ := strconv.Atoi(strings.TrimSpace(v))
			n += k
		}
		if pid == w.pid {
			one = n
		}
		tree += n
	}
	return one, tree
}

// supervisors are PID 1 and its descendants, less the services and loggers
// themselves, which are all called `run`.
func (w *world) supervisors() (all []int) {
	for _, pid := range descendants(w.pid) {
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err == nil && string(comm) != "run\n" {
			all = append(all, pid)
		}
	}
	return all
}
