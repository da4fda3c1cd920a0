package main

import (
	"fmt"
	"syscall"
	"time"
)

// minUptime is longer than a second: all supervisors but the C loop delay the
// restart of a service that exited in its first second.
const minUptime = 1300 * time.Millisecond

// restartServices is the number of services of each contender. Each service
// gives one sample per round, since it has to run for minUptime before the next.
const restartServices = 10

// measureRestart: from the end of a service to the start of its next instance.
// All contenders run at the same time and take turns service by service; an idle
// supervisor does not disturb the others.
func measureRestart(b *bench) *section {
	all := b.present(svinit, old, daemontools, runit, s6, baseline)
	s := newSection(fmt.Sprintf("restart: to the first instruction of the next instance, ms (%d services, each up for %v)", restartServices, minUptime), titles(all))
	killed, commanded := newResults(), newResults()
	sandboxes := map[string]*sandbox{}
	for _, c := range all {
		box, err := b.running(c, layout{services: restartServices})
		if err != nil {
			killed.fail(c.name, err.Error())
			commanded.fail(c.name, err.Error())
			continue
		}
		defer box.close()
		sandboxes[c.name] = box
	}
	for round := range b.times(4, 1) {
		for _, way := range []struct {
			res *results
			end func(contender, *sandbox, int) (int64, error)
		}{
			{killed, killService},
			{commanded, termService},
		} {
			time.Sleep(minUptime)
			for i := range restartServices {
				for _, c := range inTurn(all, round+i) {
					if way.res.failed(c.name) || (way.res == commanded && c.term == nil) {
						continue
					}
					took, err := sandboxes[c.name].nextStart(i, func() (int64, error) { return way.end(c, sandboxes[c.name], i) })
					if err != nil {
						way.res.fail(c.name, err.Error())
						continue
					}
					way.res.add(c.name, c.peer, ms(took))
				}
			}
		}
	}
	s.row("after kill -9", "%.2f", killed, false).
		target(killed, false, false, "best peer", func(ours, best float64) bool { return ours <= best })
	s.row("after svc -t", "%.2f", commanded, false).
		target(commanded, false, false, "best peer + 1.5 ms", func(ours, best float64) bool { return ours <= best+1.5 })
	s.note("svc -t begins at the exec of the client (svinit svc -t, svc -t, sv term, s6-svc -t) and contains its start.")
	return s
}

// nextStart calls cause, which returns the time of its action, and waits for the
// start of the next instance of service i. It returns the time between the two.
func (s *sandbox) nextStart(i int, cause func() (int64, error)) (time.Duration, error) {
	from := len(s.trace.read())
	begin, err := cause()
	if err != nil {
		return 0, err
	}
	all, err := s.until(10*time.Second, func(all []stamp) bool {
		_, ok := find(all, from, stampStart, i)
		return ok
	})
	if err != nil {
		return 0, err
	}
	next, _ := find(all, from, stampStart, i)
	time.Sleep(5 * time.Millisecond) // until the supervisor has written its status
	return time.Duration(next.ns - begin), nil
}

func killService(_ contender, s *sandbox, i int) (int64, error) {
	inner := 0
	for _, st := range s.trace.read() {
		if st.kind == stampStart && st.index == i {
			inner = st.pid // the last one is that of the running instance
		}
	}
	pid, err := hostPID(s.pid, inner)
	if err != nil {
		return 0, err
	}
	begin := now()
	return begin, syscall.Kill(pid, syscall.SIGKILL)
}

func termService(c contender, s *sandbox, i int) (int64, error) {
	return s.command(c.term(s.b, s.dir(i))...)
}
