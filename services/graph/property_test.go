package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// shape is a kind of graph.
type shape struct {
	nodes   int
	degree  int     // needs of a node, at most
	back    float64 // share of needs that may close a cycle
	bundles float64 // share of nodes that are bundles
	missing float64 // share of nodes that are not there at first
}

func randomShape(r *rand.Rand) shape {
	s := shape{nodes: 1 + r.IntN(1+r.IntN(1+r.IntN(200))), degree: r.IntN(8)}
	if r.IntN(2) == 0 {
		s.back = r.Float64() * r.Float64() * 0.2
	}
	if r.IntN(2) == 0 {
		s.bundles = r.Float64() * 0.5
	}
	if r.IntN(2) == 0 {
		s.missing = r.Float64() * 0.1
	}
	return s
}

// needs returns what node i of n needs.
func (s shape) needs(r *rand.Rand, i, n int) (list []int) {
	for range r.IntN(s.degree + 1) {
		switch {
		case r.Float64() < s.back:
			list = append(list, r.IntN(n))
		case i > 0:
			list = append(list, r.IntN(i))
		}
	}
	return list
}

// newDriver returns a driver with a graph of that shape. Nodes are added in
// any order.
func newDriver(t testing.TB, what string, r *rand.Rand, s shape) *driver {
	d := &driver{t: t, what: what, r: r, m: newModel(s.nodes)}
	for _, i := range r.Perm(s.nodes) {
		if r.Float64() >= s.missing {
			d.put(i, s.needs(r, i, s.nodes), r.Float64() < s.bundles)
		}
	}
	return d
}

// random calls f with 2000 random graphs.
func random(t *testing.T, f func(d *driver, s shape)) {
	t.Parallel()
	base := rand.Uint64()
	for i := range uint64(2000) {
		r := rand.New(rand.NewPCG(base, i))
		s := randomShape(r)
		f(newDriver(t, fmt.Sprintf("seed %d %d, %+v", base, i, s), r, s), s)
	}
}

// TestStarts lets services start and become ready in any order: whatever can
// start has started in the end, and nothing starts before what it needs is
// ready (driver.next, driver.start).
func TestStarts(t *testing.T) {
	random(t, func(d *driver, s shape) {
		d.finish()
		d.check(d.r.IntN(s.nodes))
	})
}

// TestStartsAmongDeaths is the same, in a world where services also lose readiness, end
// and are given up.
func TestStartsAmongDeaths(t *testing.T) {
	random(t, func(d *driver, s shape) {
		for range s.nodes * 2 {
			d.event()
			if d.r.IntN(3) == 0 {
				d.start()
			}
		}
		d.check(d.r.IntN(s.nodes), d.r.IntN(s.nodes))
		d.finish()
		d.check(d.r.IntN(s.nodes))
	})
}

// TestStops stops at any step of the start: nothing stops before what needs
// it, nothing starts any more, and nothing is left running.
func TestStops(t *testing.T) {
	random(t, func(d *driver, s shape) {
		for range d.r.IntN(s.nodes*3 + 1) {
			d.event()
			if d.r.IntN(3) == 0 {
				d.start()
			}
		}
		d.finishStop()
	})
}

// TestChanges adds, changes and removes nodes all along, and stops at any
// step or not at all.
func TestChanges(t *testing.T) {
	random(t, func(d *driver, s shape) {
		s.back = max(s.back, 0.05)
		for range d.r.IntN(s.nodes*2 + 1) {
			switch d.r.IntN(8) {
			case 0:
				d.change(s)
			case 1, 2, 3:
				d.start()
			default:
				d.event()
			}
		}
		d.check(d.r.IntN(s.nodes), d.r.IntN(s.nodes))
		if d.r.IntN(2) == 0 {
			d.finish()
			d.check(d.r.IntN(s.nodes))
			return
		}
		d.stop()
		for range d.r.IntN(10) {
			d.change(s)
			_, stop := d.next()
			for _, name := range stop {
				d.set(number(name), Down)
			}
			d.check(d.r.IntN(s.nodes))
		}
		d.m, d.g = replay(d)
		d.finishStop()
	})
}

// replay returns a model and a graph of the same nodes and states that have
// not been asked anything yet: no answer depends on what came before.
func replay(d *driver) (*model, Graph) {
	fresh := driver{m: newModel(len(d.m.nodes))}
	for _, i := range d.r.Perm(len(d.m.nodes)) {
		if n := d.m.nodes[i]; n.exists {
			fresh.put(i, n.needs, n.bundle)
			fresh.set(i, n.state)
		}
	}
	return fresh.m, fresh.g
}

// TestShapes starts and stops graphs that are hard for one algorithm or the
// other: deep, wide, dense, all cycles, nearly a cycle.
func TestShapes(t *testing.T) {
	const n = 120
	shapes := map[string]func(i int) []int{
		"chain":    func(i int) []int { return upTo(max(i-1, 0), i) },
		"ring":     func(i int) []int { return []int{(i + 1) % n} },
		"star":     func(i int) []int { return upTo(0, min(i, 1)) },
		"hub":      func(i int) []int { return upTo(0, i/(n-1)*i) },
		"complete": func(i int) []int { return upTo(max(i-60, 0), i) },
		"clique":   func(i int) []int { return upTo(i/40*40, min(i/40*40+40, n)) },
		"self":     func(i int) []int { return []int{i} },
		"tree":     func(i int) []int { return upTo(max(i-1, 0)/2, max(i-1, 0)/2+min(i, 1)) },
		"root": func(i int) []int {
			return slices.DeleteFunc([]int{2*i + 1, 2*i + 2}, func(j int) bool { return j >= n })
		},
		"layers":    func(i int) []int { return upTo(max(i/20*20-20, 0), i/20*20) },
		"rings":     func(i int) []int { return []int{i/7*7 + (i+1)%7, max(i-7, 0)} },
		"tail":      func(i int) []int { return []int{min(i+1, n-1) % n} },
		"backwards": func(i int) []int { return upTo(i+1, min(i+2, n)) },
	}
	for what, needs := range shapes {
		for _, bundles := range []int{0, 2, 3, 7} {
			t.Run(fmt.Sprint(what, bundles), func(t *testing.T) {
				t.Parallel()
				seed := rand.Uint64()
				r := rand.New(rand.NewPCG(seed, 0))
				d := &driver{t: t, what: fmt.Sprint("seed ", seed), r: r, m: newModel(n + 7)}
				for _, i := range r.Perm(n) {
					d.put(i, needs(i), bundles > 0 && i%bundles == 1)
				}
				d.finish()
				d.check(0, n/2, n-1, n)
				for range 5 {
					i := r.IntN(n)
					d.put(i, []int{r.IntN(n)}, false)
					d.check(i)
				}
				d.finishStop()
				d.check(0, n/2, n-1)
			})
		}
	}
}

// upTo returns the numbers from a to b, without b.
func upTo(a, b int) (list []int) {
	for ; a < b; a++ {
		list = append(list, a)
	}
	return list
}

// FuzzGraph reads its input as a list of calls, and compares all answers after
// each.
func FuzzGraph(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07"))
	f.Add([]byte{0, 0x12, 0, 0x21, 0, 0x32, 3, 0x11, 4, 0x11, 3, 0x22, 7, 0, 5, 0x22, 2, 0x10})
	f.Fuzz(func(t *testing.T, calls []byte) {
		const n = 8
		d := &driver{t: t, what: fmt.Sprintf("%q", calls), r: rand.New(rand.NewPCG(1, 2)), m: newModel(n)}
		for ; len(calls) >= 2 && d.r.IntN(1000) > 0; calls = calls[2:] {
			op, i, j := calls[0]%11, int(calls[1]>>4)%n, int(calls[1]&15)%n
			needs := slices.Clone(d.m.nodes[i].needs)
			switch op {
			case 0, 1: // one need more
				d.put(i, append(needs, j), op == 1)
			case 2:
				d.remove(i)
			case 3, 4, 5, 6:
				d.set(i, State(op-3))
			case 7:
				d.start()
			case 8:
				if j == 0 {
					d.stop()
				}
			case 9:
				d.put(i, nil, false)
			case 10:
				if len(needs) > 0 { // one need less
					d.put(i, needs[1:], d.m.nodes[i].bundle)
				}
			}
			d.check(i, j)
		}
		if !d.m.stopping {
			d.finish()
		}
		d.m, d.g = replay(d)
		d.finishStop()
	})
}
