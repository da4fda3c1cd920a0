package main

import (
	"time"
)

// maxLinks is the number of services that each contender of measureLink has.
const maxLinks = 64

// A linker is a contender of measureLink.
type linker struct {
	contender
	*sandbox
	polls  bool          // finds a link only after seconds, or never
	never  bool          // does not find a link without a client
	linked map[int]int64 // of a polling one: the time of each link
}

var (
	s6Rescan = contender{name: "s6 + rescan", peer: true, needs: s6.needs, argv: s6.argv}
	s6Alone  = contender{name: "s6 alone", peer: true, needs: s6.needs, argv: s6.argv}
)

// measureLink: from the symlink(2) of a service into the scan directory to its
// first instruction. A contender that polls gets a link in every seventh round,
// at different moments of its period, and is not waited for during the rounds.
func measureLink(b *bench) *section {
	all := b.present(svinit, old, daemontools, runit, s6Rescan, s6Alone)
	s := newSection("link: symlink into the scan directory to the first instruction of the service, ms", titles(all))
	res := newResults()
	var linkers []linker
	for _, c := range all {
		l, err := b.linker(c)
		if err != nil {
			res.fail(c.name, err.Error())
			continue
		}
		defer l.close()
		linkers = append(linkers, l)
	}
	for round := 1; round < min(b.times(40, 12), maxLinks); round++ {
		for _, l := range inTurn(linkers, round) {
			if res.failed(l.name) || l.polls && round%7 != 1 {
				continue
			}
			if err := l.linkOnce(res, round); err != nil {
				res.fail(l.name, err.Error())
			}
		}
		time.Sleep(150 * time.Millisecond)
	}
	limit := now() + int64(6*time.Second)
	for _, l := range linkers {
		l.collect(res, limit)
	}
	s.row("link to start", "%.2f", res, false).
		target(res, false, true, "< 4 ms", func(ours, _ float64) bool { return ours < 4 })
	s.note("The rescan is s6-svscanctl -a after the link; without it s6-svscan does not look. daemontools and runit look every 5 s.")
	return s
}

// linker boots a contender and waits until service 0 has started by a link,
// which shows that the scanner works.
func (b *bench) linker(c contender) (linker, error) {
	box, err := b.sandbox(layout{services: maxLinks, unlinked: true})
	if err != nil {
		return linker{}, err
	}
	l := linker{contender: c, sandbox: box, never: c.name == s6Alone.name, linked: map[int]int64{}}
	l.polls = l.never || c.name == daemontools.name || c.name == runit.name
	if err = box.boot(c.argv(box), nil); err == nil {
		if _, err = box.link(0, l.rescan()...); err == nil && !l.never {
			_, err = box.until(stepTimeout, func(all []stamp) bool { return count(all, stampStart) > 0 })
		}
	}
	if err != nil {
		box.close()
	}
	return l, err
}

// rescan is the client that makes the contender look at its scan directory.
func (l linker) rescan() []string {
	if l.name == s6Rescan.name {
		return []string{"s6-svscanctl", "-a", l.scan()}
	}
	return nil
}

// linkOnce links service i, and measures its start if the contender does not poll.
func (l linker) linkOnce(res *results, i int) error {
	if l.polls {
		at, err := l.link(i)
		l.linked[i] = at
		return err
	}
	took, err := l.nextStart(i, func() (int64, error) { return l.link(i, l.rescan()...) })
	if err == nil {
		res.add(l.name, l.peer, ms(took))
	}
	return err
}

// collect waits until limit, in ns, for the linked services of a polling contender.
func (l linker) collect(res *results, limit int64) {
	for i, at := range l.linked {
		left := time.Duration(max(0, limit-now()))
		if l.never {
			left = 0
		}
		all, _ := l.until(left, func(all []stamp) bool { _, ok := find(all, 0, stampStart, i); return ok })
		if start, ok := find(all, 0, stampStart, i); ok {
			res.add(l.name, l.peer, ms(time.Duration(start.ns-at)))
		} else {
			res.fail(l.name, "never")
		}
	}
}
