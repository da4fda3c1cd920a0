package main

import "time"

// measureLink: from the symlink(2) that switches a service on to its first
// instruction. Those who look for themselves every few seconds get a link now
// and then, at different moments of their period, while the others take turns.
func measureLink(b *bench) *section {
	const most = 64
	nudged := contender{name: "s6 + nudge", peer: true, needs: s6.needs, argv: s6.argv}
	bare := s6
	bare.name = "s6 alone"
	all := b.present(svinit, daemontools, runit, nudged, bare)
	s := &section{title: "link: symlink into the scan directory to the service's first instruction, ms", columns: titles(all)}
	t := newTally()
	rounds := min(b.times(40, 12), most)
	worlds := map[string]*world{}
	for _, c := range all {
		w, err := b.world(plan{services: most, dark: true})
		if err == nil {
			defer w.close()
			if err = w.boot(c.argv(w), nil); err == nil {
				// Service 0 is on from the beginning: it shows when the scanner is at work.
				if _, err = w.link(0, nudge(c.name, w)...); err == nil && c.name != bare.name {
					_, err = w.until(patience, func(all []stamp) bool { return count(all, stampBorn) > 0 })
				}
			}
		}
		if err != nil {
			t.fail(c.name, err.Error())
			continue
		}
		worlds[c.name] = w
	}
	// What was linked when, for those whose time it is too long to wait out.
	linked := map[string]map[int]int64{}
	for round := 1; round < rounds; round++ {
		for _, c := range all {
			w := worlds[c.name]
			slow := c.name == daemontools.name || c.name == runit.name || c.name == bare.name
			if t.failed(c.name) || (slow && round%7 != 1) {
				continue
			}
			if slow {
				at, err := w.link(round)
				if err != nil {
					t.fail(c.name, err.Error())
					continue
				}
				if linked[c.name] == nil {
					linked[c.name] = map[int]int64{}
				}
				linked[c.name][round] = at
				continue
			}
			took, err := w.again(round, func() (int64, error) { return w.link(round, nudge(c.name, w)...) })
			if err != nil {
				t.fail(c.name, err.Error())
				continue
			}
			t.add(c.name, c.peer, ms(took))
		}
		time.Sleep(150 * time.Millisecond)
	}
	limit := now() + int64(6*time.Second)
	for _, c := range all {
		for i, at := range linked[c.name] {
			w := worlds[c.name]
			left := time.Duration(max(0, limit-now()))
			if c.name == bare.name {
				left = 0 // it never looks: see that it has not
			}
			all, _ := w.until(left, func(all []stamp) bool { _, ok := find(all, 0, stampBorn, i); return ok })
			if born, ok := find(all, 0, stampBorn, i); ok {
				t.add(c.name, c.peer, ms(time.Duration(born.ns-at)))
			} else {
				t.fail(c.name, "never")
			}
		}
	}
	r := s.row("switched on", "%.2f", t, false)
	r.judge(t, false, true, "< 4 ms", func(ours, _ float64) bool { return ours < 4 })
	s.note("The nudge is s6-svscanctl -a, run after the link; without it s6 does not look. daemontools and runit look every 5 s.")
	return s
}

func nudge(name string, w *world) []string {
	if name == "s6 + nudge" {
		return []string{"s6-svscanctl", "-a", w.scan()}
	}
	return nil
}
