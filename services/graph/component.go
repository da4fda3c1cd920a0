package graph

import (
	"slices"
	"strings"
)

// component is a strongly connected component: nodes that all need each other,
// directly or through others. Nearly always it is a single node. Between
// components there are no cycles, which is why counting is enough to know
// whether something that needs a component runs.
type component struct {
	members []*node
	cyclic  bool
	running int // how many members run
	holders int // how many needs of held components point here
}

// held reports whether a member runs, or something that needs a member.
func (c *component) held() bool { return c.running > 0 || c.holders > 0 }

// hold changes the counts of c and, where it is held only now or no longer,
// those of the components that it needs.
func (g *Graph) hold(c *component, running, holders int) {
	wasHeld, wasFree := c.held(), c.holders == 0
	c.running += running
	c.holders += holders
	if wasFree != (c.holders == 0) {
		for _, n := range c.members {
			g.touch(n)
		}
	}
	if c.held() == wasHeld {
		return
	}
	by := 1
	if wasHeld {
		by = -1
	}
	for _, m := range c.outside() {
		g.hold(m.component, 0, by)
	}
}

// outside returns what the members of c need outside of c. A node comes once
// for each member that needs it.
func (c *component) outside() []*node {
	if len(c.members) == 1 && !c.cyclic {
		return c.members[0].needs
	}
	var list []*node
	for _, n := range c.members {
		for _, m := range n.needs {
			if m.component != c {
				list = append(list, m)
			}
		}
	}
	return list
}

// refresh computes anew, after a change of the services, all that follows from
// needs and states.
func (g *Graph) refresh() {
	if !g.stale {
		return
	}
	g.stale = false
	components := g.components()
	for _, c := range components { // needs first
		for _, n := range c.members {
			if n.state.running() {
				c.running++
			}
			n.ready = n.state == Ready // bundles follow
		}
		for _, n := range c.members {
			g.countUnmet(n)
			g.touch(n)
		}
	}
	for _, c := range slices.Backward(components) { // dependents first
		if c.held() {
			for _, m := range c.outside() {
				m.component.holders++
			}
		}
	}
}

// components gives each node its component, by Tarjan's algorithm ("Depth-first
// search and linear graph algorithms", 1972), and returns the components: each
// comes after those that it needs.
func (g *Graph) components() []*component {
	var (
		list  []*component
		stack []*node
		index int
		visit func(n *node)
	)
	visit = func(n *node) {
		index++
		n.index, n.low = index, index
		n.component = nil // while it is on the stack
		stack = append(stack, n)
		for _, m := range n.needs {
			switch {
			case m.index == 0:
				visit(m)
				n.low = min(n.low, m.low)
			case m.component == nil:
				n.low = min(n.low, m.index)
			}
		}
		if n.low < n.index {
			return
		}
		i := len(stack) - 1
		for stack[i] != n {
			i--
		}
		c := &component{members: slices.Clone(stack[i:])}
		stack = stack[:i]
		c.cyclic = len(c.members) > 1 || slices.Contains(n.needs, n)
		for _, m := range c.members {
			m.component = c
		}
		list = append(list, c)
	}
	for _, n := range g.nodes {
		n.index = 0
	}
	for _, n := range g.nodes {
		if n.index == 0 {
			visit(n)
		}
	}
	return list
}

// Cycle is services and bundles that need each other and so never start.
type Cycle struct {
	// Members are all of them, sorted.
	Members []string
	// Path is a shortest way from the first member back to itself, which is
	// its first and its last name. It need not pass through all members.
	Path []string

	verbs []string // between the names of Path
}

// String returns the path as text: "a needs b needs c needs a".
func (c Cycle) String() string {
	var b strings.Builder
	for i, name := range c.Path {
		if i > 0 {
			b.WriteString(" " + c.verbs[i-1] + " ")
		}
		b.WriteString(name)
	}
	return b.String()
}

// Cycles returns all cycles, sorted by their first members. Cycles that share
// a member are one.
func (g *Graph) Cycles() []Cycle {
	g.refresh()
	var cycles []Cycle
	for _, n := range g.nodes {
		if c := n.component; c.cyclic && c.members[0] == n {
			cycles = append(cycles, c.cycle())
		}
	}
	slices.SortFunc(cycles, func(a, b Cycle) int { return strings.Compare(a.Members[0], b.Members[0]) })
	return cycles
}

// cycle describes a cyclic component. It searches breadth-first from the first
// member, so the path is a shortest one.
func (c *component) cycle() Cycle {
	first := slices.MinFunc(c.members, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	neededBy := make(map[*node]*node) // the way back to first
	for queue := []*node{first}; neededBy[first] == nil; queue = queue[1:] {
		for _, m := range queue[0].needs {
			if m.component == c && neededBy[m] == nil {
				neededBy[m] = queue[0]
				queue = append(queue, m)
			}
		}
	}
	cycle := Cycle{Members: names(c.members), Path: []string{first.name}}
	for n := neededBy[first]; ; n = neededBy[n] {
		verb := "needs"
		if n.bundle {
			verb = "contains"
		}
		cycle.Path = append(cycle.Path, n.name)
		cycle.verbs = append(cycle.verbs, verb)
		if n == first {
			break
		}
	}
	slices.Reverse(cycle.Path)
	slices.Reverse(cycle.verbs)
	return cycle
}
