package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lived is longer than the second within which every supervisor but the C loop
// makes a service that died wait.
const lived = 1300 * time.Millisecond

// batch is how many services each contender has for this: each gives one sample
// per batch, since each must have lived before it is ended again.
const batch = 10

// measureRestart: a service that has lived ends; when does the next one begin?
// All contenders are up at once and take turns, service by service: an idle
// supervisor does not disturb.
func measureRestart(b *bench) *section {
	all := b.present(svinit, daemontools, runit, s6, floor)
	s := &section{title: fmt.Sprintf("restart: to the first instruction of the new instance, ms (%d services, each alive for %v)", batch, lived),
		columns: titles(all)}
	killed, told := newTally(), newTally()
	worlds := map[string]*world{}
	for _, c := range all {
		w, err := b.world(plan{services: batch})
		if err == nil {
			defer w.close()
			if err = w.boot(c.argv(w), nil); err == nil {
				_, err = w.up(batch)
			}
		}
		if err != nil {
			killed.fail(c.name, err.Error())
			told.fail(c.name, err.Error())
			continue
		}
		worlds[c.name] = w
	}
	for range b.times(4, 1) {
		for _, half := range []struct {
			t   *tally
			end func(contender, *world, int) (int64, error)
		}{
			{killed, killService},
			{told, tellService},
		} {
			time.Sleep(lived)
			for i := range batch {
				for _, c := range all {
					if half.t.failed(c.name) || (half.t == told && c.term == nil) {
						continue
					}
					took, err := worlds[c.name].again(i, func() (int64, error) { return half.end(c, worlds[c.name], i) })
					if err != nil {
						half.t.fail(c.name, err.Error())
						continue
					}
					half.t.add(c.name, c.peer, ms(took))
				}
			}
		}
	}
	s.row("after kill -9", "%.2f", killed, false).
		judge(killed, false, false, "best peer", func(ours, best float64) bool { return ours <= best })
	s.row("after svc -t", "%.2f", told, false).
		judge(told, false, false, "best peer + 1.5 ms", func(ours, best float64) bool { return ours <= best+1.5 })
	s.note("svc -t counts from the exec of the client (svinit svc -t, svc -t, sv term, s6-svc -t), its own start included.")
	return s
}

// again ends service i by end, which says when it began to, and waits for the
// next instance.
func (w *world) again(i int, end func() (int64, error)) (time.Duration, error) {
	from := len(w.trace.read())
	begin, err := end()
	if err != nil {
		return 0, err
	}
	all, err := w.until(10*time.Second, func(all []stamp) bool {
		_, ok := find(all, from, stampBorn, i)
		return ok
	})
	if err != nil {
		return 0, err
	}
	next, _ := find(all, from, stampBorn, i)
	time.Sleep(5 * time.Millisecond) // let it write its status down before the next one's turn
	return time.Duration(next.ns - begin), nil
}

func killService(_ contender, w *world, i int) (int64, error) {
	inner := 0
	for _, s := range w.trace.read() {
		if s.kind == stampBorn && s.index == i {
			inner = s.pid // the last is the living one
		}
	}
	pid, err := outside(w.pid, inner)
	if err != nil {
		return 0, err
	}
	begin := now()
	return begin, syscall.Kill(pid, syscall.SIGKILL)
}

func tellService(c contender, w *world, i int) (int64, error) {
	return w.command(c.term(w.b, w.dir(i))...)
}

// outside finds the descendant of root whose pid in its own namespace is inner.
func outside(root, inner int) (int, error) {
	for _, pid := range descendants(root) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		_, ns, _ := strings.Cut(string(text), "\nNSpid:")
		ns, _, _ = strings.Cut(ns, "\n")
		pids := strings.Fields(ns)
		if len(pids) > 0 && pids[len(pids)-1] == strconv.Itoa(inner) {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("find process %d of the namespace", inner)
}

// descendants of a process and itself, by the children files of its threads.
func descendants(root int) []int {
	all := []int{root}
	for i := 0; i < len(all); i++ {
		tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", all[i]))
		for _, task := range tasks {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", all[i], task.Name()))
			for _, f := range strings.Fields(string(text)) {
				if pid, err := strconv.Atoi(f); err == nil {
					all = append(all, pid)
				}
			}
		}
	}
	return all
}
