package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// driver plays the owner of a Graph and the world together: it starts and
// stops what it is told may start and stop, in any order, and reports what
// happens to it. Every answer is compared with that of the model.
type driver struct {
	t    testing.TB
	what string // in messages: how to repeat this
	r    *rand.Rand
	g    Graph
	m    *model
}

func (d *driver) failf(format string, args ...any) {
	d.t.Helper()
	d.t.Fatalf("%s: %s", d.what, fmt.Sprintf(format, args...))
}

func (d *driver) put(i int, needs []int, bundle bool) {
	d.m.put(i, needs, bundle)
	if bundle {
		d.g.PutBundle(name(i), nameAll(needs))
	} else {
		d.g.Put(name(i), nameAll(needs))
	}
}

func (d *driver) remove(i int) { d.m.remove(i); d.g.Remove(name(i)) }

func (d *driver) set(i int, s State) { d.m.set(i, s); d.g.Set(name(i), s) }

func (d *driver) stop() { d.m.stop(); d.g.Stop() }

// next asks what may start and stop.
func (d *driver) next() (start, stop []string) {
	d.t.Helper()
	start, stop = d.g.Next()
	if wantStart, wantStop := d.m.next(); !slices.Equal(start, wantStart) || !slices.Equal(stop, wantStop) {
		d.failf("Next is %q and %q, want %q and %q", start, stop, wantStart, wantStop)
	}
	return start, stop
}

// start starts what may start.
func (d *driver) start() (any bool) {
	d.t.Helper()
	start, _ := d.next()
	d.r.Shuffle(len(start), func(i, j int) { start[i], start[j] = start[j], start[i] })
	for _, name := range start {
		i := number(name)
		if !d.m.startable(i) {
			d.failf("%s starts, and waits for %q", name, d.m.waits(i))
		}
		d.set(i, Up)
	}
	return len(start) > 0
}

// event lets something happen to one service at random.
func (d *driver) event() {
	i := d.r.IntN(len(d.m.nodes))
	n := d.m.nodes[i]
	if !n.exists || n.bundle {
		return
	}
	switch p := d.r.IntN(100); {
	case n.state == Up && p < 80:
		d.set(i, Ready)
	case n.state == Up && p < 85:
		d.set(i, GivenUp)
	case n.state == Ready && p < 10:
		d.set(i, Up)
	case n.state.running() && p >= 95:
		d.set(i, Down)
	case n.state == GivenUp && p < 30:
		d.set(i, Down)
	}
}

// change adds, changes or removes a node at random.
func (d *driver) change(s shape) {
	i := d.r.IntN(len(d.m.nodes))
	if d.r.IntN(4) == 0 {
		d.remove(i)
		return
	}
	d.put(i, s.needs(d.r, i, len(d.m.nodes)), d.r.Float64() < s.bundles)
}

// check compares all answers about the whole and about some nodes.
func (d *driver) check(nodes ...int) {
	d.t.Helper()
	var cycles, absent []string
	for _, c := range d.g.Cycles() {
		d.checkPath(c)
		line := fmt.Sprint(c.Members)
		cycles = append(cycles, line[1:len(line)-1])
	}
	if want := d.m.cycles(); !slices.Equal(cycles, want) {
		d.failf("Cycles is %q, want %q", cycles, want)
	}
	for _, a := range d.g.Absent() {
		absent = append(absent, fmt.Sprint(a.Name, a.NeededBy))
	}
	if want := d.m.absent(); !slices.Equal(absent, want) {
		d.failf("Absent is %q, want %q", absent, want)
	}
	for _, i := range nodes {
		d.checkNode(i)
	}
}

func (d *driver) checkNode(i int) {
	d.t.Helper()
	n := d.m.nodes[i]
	ok, waits := d.g.MayStart(name(i))
	var texts []string
	for _, w := range waits {
		texts = append(texts, w.String())
	}
	wantOK := d.m.startable(i) || !d.m.stopping && n.state.running()
	var want []string
	switch {
	case n.state == GivenUp && !d.m.stopping:
		want = d.m.waits(i)
		wantOK = want == nil && !d.m.cyclic(i)
	case !n.exists:
		want = []string{name(i) + " does not exist"}
	case !wantOK && !d.m.stopping:
		want = d.m.waits(i)
	}
	if ok != wantOK || !slices.Equal(texts, want) {
		d.failf("MayStart(%s) is %v %q, want %v %q", name(i), ok, texts, wantOK, want)
	}
	ok, running := d.g.MayStop(name(i))
	if want := d.m.nearest(i); ok != d.m.mayStop(i) || !slices.Equal(running, want) {
		d.failf("MayStop(%s) is %v %q, want %v %q", name(i), ok, running, !ok, want)
	}
	if got, want := d.g.Waiting(name(i)), d.m.waiting(i); !slices.Equal(got, want) {
		d.failf("Waiting(%s) is %q, want %q", name(i), got, want)
	}
	wantState := n.state
	if n.bundle && d.m.ready(i) {
		wantState = Ready
	}
	if s, ok := d.g.State(name(i)); s != wantState || ok != n.exists {
		d.failf("State(%s) is %v %v, want %v %v", name(i), s, ok, wantState, n.exists)
	}
}

// checkPath checks that a cycle's path is one, and a shortest.
func (d *driver) checkPath(c Cycle) {
	d.t.Helper()
	last := len(c.Path) - 1
	if last < 1 || c.Path[0] != c.Members[0] || c.Path[last] != c.Path[0] {
		d.failf("path %q of cycle %q", c.Path, c.Members)
	}
	if want := d.m.shortest(number(c.Path[0])); last != want {
		d.failf("path %q has %d steps, want %d", c.Path, last, want)
	}
	text := c.Path[0]
	for i, from := range c.Path[:last] {
		n, verb := d.m.nodes[number(from)], " needs "
		if !slices.Contains(n.needs, number(c.Path[i+1])) || i > 0 && from == c.Path[0] {
			d.failf("path %q is not a cycle at %s", c.Path, from)
		}
		if n.bundle {
			verb = " contains "
		}
		text += verb + c.Path[i+1]
	}
	if c.String() != text {
		d.failf("cycle is %q, want %q", c, text)
	}
}

// finish lets everything start that can, and become ready, and checks that
// exactly what must stay down is down.
func (d *driver) finish() {
	d.t.Helper()
	want := d.m.startsAtLast()
	for again := true; again; {
		again = d.start()
		for _, i := range d.r.Perm(len(d.m.nodes)) {
			if d.m.nodes[i].state == Up {
				d.set(i, Ready)
				again = true
				if d.r.IntN(2) == 0 {
					d.start()
				}
			}
		}
	}
	for i, n := range d.m.nodes {
		if !n.bundle && (n.state == Ready) != want[i] {
			d.failf("%s ends in state %v, want ready: %v; it waits for %q", name(i), n.state, want[i], d.m.waits(i))
		}
	}
}

// finishStop stops what may stop until nothing runs.
func (d *driver) finishStop() {
	d.t.Helper()
	d.stop()
	var ordered []int // to stop
	for {
		start, stop := d.next()
		if start != nil {
			d.failf("%q start after the stop", start)
		}
		for _, name := range stop {
			ordered = append(ordered, number(name))
		}
		if len(ordered) == 0 {
			break
		}
		k := d.r.IntN(len(ordered))
		i := ordered[k]
		if !d.m.mayStop(i) {
			d.failf("%s stops before %q", name(i), d.m.nearest(i))
		}
		d.set(i, Down)
		ordered = slices.Delete(ordered, k, k+1)
	}
	for i, n := range d.m.nodes {
		if n.state.running() {
			d.failf("%s is never stopped", name(i))
		}
	}
}
