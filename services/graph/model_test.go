package graph

import (
	"fmt"
	"slices"
	"strings"
)

// model is what a Graph promises, written down without regard to cost: every
// answer is computed from the definitions, from scratch.
type model struct {
	nodes    []modelNode // the name of number i is name(i)
	stopping bool
	reach    []set        // what each needs, directly or through others; nil: to be computed
	isReady  map[int]bool // what ready has computed since the last change
}

type modelNode struct {
	exists, bundle, offered bool
	state                   State
	needs                   []int
}

// set is a set of numbers of nodes.
type set []uint64

func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }

// addAll adds what is in other, and reports whether s has more for it.
func (s set) addAll(other set) (more bool) {
	for i, w := range other {
		more = more || w&^s[i] != 0
		s[i] |= w
	}
	return more
}

func name(i int) string { return fmt.Sprintf("s%03d", i) }

func number(name string) (i int) {
	fmt.Sscanf(name, "s%d", &i)
	return i
}

func nameAll(numbers []int) (list []string) {
	for _, i := range numbers {
		list = append(list, name(i))
	}
	return list
}

func newModel(n int) *model { return &model{nodes: make([]modelNode, n)} }

func (m *model) put(i int, needs []int, bundle bool) {
	n := &m.nodes[i]
	if n.bundle != bundle {
		n.state, n.offered = Down, false
	}
	n.exists, n.bundle, n.needs = true, bundle, slices.Compact(slices.Sorted(slices.Values(needs)))
	m.reach, m.isReady = nil, nil
}

func (m *model) remove(i int) {
	m.nodes[i] = modelNode{}
	m.reach, m.isReady = nil, nil
}

func (m *model) set(i int, s State) {
	if n := &m.nodes[i]; n.exists && !n.bundle && n.state != s {
		n.state, n.offered = s, n.offered && n.state.running() && s.running()
		m.isReady = nil
	}
}

func (m *model) stop() {
	if !m.stopping {
		m.stopping = true
		for i := range m.nodes {
			m.nodes[i].offered = false
		}
	}
}

// needs reports whether i needs j, directly or through others.
func (m *model) needs(i, j int) bool {
	if m.reach == nil {
		m.reach = make([]set, len(m.nodes))
		for i, n := range m.nodes {
			m.reach[i] = make(set, len(m.nodes)/64+1)
			for _, j := range n.needs {
				m.reach[i].add(j)
			}
		}
		for again := true; again; {
			again = false
			for i, n := range m.nodes {
				for _, j := range n.needs {
					again = m.reach[i].addAll(m.reach[j]) || again
				}
			}
		}
	}
	return m.reach[i].has(j)
}

func (m *model) cyclic(i int) bool       { return m.needs(i, i) }
func (m *model) sameCycle(i, j int) bool { return m.needs(i, j) && m.needs(j, i) }

func (m *model) ready(i int) bool {
	n := m.nodes[i]
	if !n.bundle {
		return n.state == Ready
	}
	is, ok := m.isReady[i]
	if !ok {
		is = !m.cyclic(i) && !slices.ContainsFunc(n.needs, func(j int) bool { return !m.ready(j) })
		if m.isReady == nil {
			m.isReady = make(map[int]bool)
		}
		m.isReady[i] = is
	}
	return is
}

func (m *model) startable(i int) bool {
	n := m.nodes[i]
	return n.exists && !n.bundle && n.state == Down && !m.stopping && !m.cyclic(i) &&
		!slices.ContainsFunc(n.needs, func(j int) bool { return !m.ready(j) })
}

// mayStop reports whether everything that needs i is down.
func (m *model) mayStop(i int) bool {
	for j, n := range m.nodes {
		if n.state.running() && m.needs(j, i) && !m.sameCycle(i, j) {
			return false
		}
	}
	return true
}

// next is Graph.Next.
func (m *model) next() (start, stop []string) {
	for i := range m.nodes {
		n := &m.nodes[i]
		starts := m.startable(i)
		stops := m.stopping && n.state.running() && m.mayStop(i)
		if starts && !n.offered {
			start = append(start, name(i))
		}
		if stops && !n.offered {
			stop = append(stop, name(i))
		}
		n.offered = starts || stops
	}
	return start, stop
}

// waits is the list of Graph.MayStart as text, for a service that may not start.
func (m *model) waits(i int) (list []string) {
	seen := make(map[int]bool)
	var add func(j int)
	add = func(j int) {
		if seen[j] {
			return
		}
		seen[j] = true
		n, within := m.nodes[j], m.sameCycle(i, j)
		switch {
		case m.ready(j) && !within:
		case n.bundle && !m.cyclic(j):
			for _, k := range n.needs {
				add(k)
			}
		case !n.exists:
			list = append(list, name(j)+" does not exist")
		case within:
			list = append(list, name(j)+" is part of a cycle")
		case n.state == Up:
			list = append(list, name(j)+" is not ready")
		case m.cyclic(j):
			list = append(list, name(j)+" is part of a cycle")
		case n.state == GivenUp:
			list = append(list, name(j)+" was given up")
		default:
			list = append(list, name(j)+" is down")
		}
	}
	for _, j := range m.nodes[i].needs {
		add(j)
	}
	slices.Sort(list)
	return list
}

// nearest is the list of Graph.MayStop: the running ones from which i can be
// reached through others that do not run or are in the cycle of i.
func (m *model) nearest(i int) []string {
	through := make([]bool, len(m.nodes))
	through[i] = true
	for again := true; again; {
		again = false
		for j, n := range m.nodes {
			if !through[j] && (!n.state.running() || m.sameCycle(i, j)) && slices.ContainsFunc(n.needs, func(k int) bool { return through[k] }) {
				through[j], again = true, true
			}
		}
	}
	var list []string
	for j, n := range m.nodes {
		if n.state.running() && !m.sameCycle(i, j) && slices.ContainsFunc(n.needs, func(k int) bool { return through[k] }) {
			list = append(list, name(j))
		}
	}
	return list
}

// waiting is Graph.Waiting.
func (m *model) waiting(i int) []string {
	blocks := make([]bool, len(m.nodes))
	blocks[i] = !m.ready(i)
	for again := true; again; {
		again = false
		for j, n := range m.nodes {
			down := !n.bundle && n.state == Down || n.bundle && !m.ready(j)
			if !blocks[j] && down && slices.ContainsFunc(n.needs, func(k int) bool { return blocks[k] }) {
				blocks[j], again = true, true
			}
		}
	}
	var list []string
	for j, n := range m.nodes {
		if j != i && blocks[j] && !n.bundle {
			list = append(list, name(j))
		}
	}
	return list
}

// cycles is the members of each cycle, a line each.
func (m *model) cycles() (list []string) {
	for i := range m.nodes {
		if !m.cyclic(i) {
			continue
		}
		var members []string
		for j := range m.nodes {
			if m.sameCycle(i, j) {
				members = append(members, name(j))
			}
		}
		if members[0] == name(i) {
			list = append(list, strings.Join(members, " "))
		}
	}
	return list
}

// shortest is the least number of needs that lead from i back to i.
func (m *model) shortest(i int) (steps int) {
	reached := map[int]bool{}
	for edge := []int{i}; !reached[i]; steps++ {
		var next []int
		for _, j := range edge {
			for _, k := range m.nodes[j].needs {
				if !reached[k] {
					reached[k] = true
					next = append(next, k)
				}
			}
		}
		edge = next
	}
	return steps
}

// absent is what does not exist and is needed.
func (m *model) absent() (list []string) {
	for i, n := range m.nodes {
		var by []string
		for j, other := range m.nodes {
			if slices.Contains(other.needs, i) {
				by = append(by, name(j))
			}
		}
		if !n.exists && by != nil {
			list = append(list, fmt.Sprint(name(i), by))
		}
	}
	return list
}

// startsAtLast reports which nodes are ready in the end, if whatever starts
// becomes ready and nothing ends.
func (m *model) startsAtLast() []bool {
	known := make([]bool, len(m.nodes))
	for again := true; again; {
		again = false
		for i, n := range m.nodes {
			if known[i] || !n.exists {
				continue
			}
			all := !m.cyclic(i) && !slices.ContainsFunc(n.needs, func(j int) bool { return !known[j] })
			if n.state.running() || n.state == Down && all {
				known[i], again = true, true
			}
		}
	}
	return known
}
