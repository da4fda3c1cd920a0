package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// measureSvstat: asking for a service's state, from exec to exit, each client of
// a service under its own supervisor, beside a static program that does nothing.
func measureSvstat(b *bench) *section {
	all := b.present(svinit, daemontools, runit, s6)
	s := &section{title: "svstat: state of one service (svstat, sv status, s6-svstat), exec to exit, ms", columns: append(titles(all), "noop")}
	t := newTally()
	who := []string{"noop"}
	args := []string{fmt.Sprint(b.times(400, 60)), b.tool("noop")}
	for _, c := range all {
		w, err := b.world(plan{services: 1})
		if err == nil {
			defer w.close()
			if err = w.boot(c.argv(w), nil); err == nil {
				_, err = w.up(1)
			}
		}
		if err != nil {
			t.fail(c.name, err.Error())
			continue
		}
		cmd := c.stat(b, w.dir(0))
		if cmd[0], err = exec.LookPath(cmd[0]); err != nil {
			t.fail(c.name, err.Error())
			continue
		}
		args = append(append(args, "--"), cmd...)
		who = append(who, c.name)
	}
	time.Sleep(lived) // a supervisor in its first second may still be deaf
	b.clients(s, t, who, args)
	r := s.row("exec to exit", "%.2f", t, false)
	r.target = "noop + 1.5 ms"
	if ours, ok := t.median("svinit"); ok {
		idle, _ := t.median("noop")
		r.mark = verdict(ours <= idle+1.5)
	} else if t.failed("svinit") {
		r.mark = miss
	}
	return s
}

// clients runs the helper of that name and adds what it prints to the tally:
// who names its commands in order.
func (b *bench) clients(s *section, t *tally, who, args []string) {
	peers := []string{daemontools.name, runit.name, s6.name}
	cmd := exec.Command(b.tool("clients"), args...)
	cmd.Env = environment
	stop := time.AfterFunc(2*patience, func() { cmd.Process.Kill() })
	out, err := cmd.Output()
	stop.Stop()
	if err != nil {
		s.note("clients: %v", err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		var i, ns, status int
		if n, _ := fmt.Sscan(line, &i, &ns, &status); n == 3 && i < len(who) {
			t.add(who[i], slices.Contains(peers, who[i]), float64(ns)/1e6)
			if status != 0 {
				t.fail(who[i], fmt.Sprintf("wait status %d", status))
			}
		}
	}
}
