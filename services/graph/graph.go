package graph

import (
	"slices"
	"strings"
)

// State is the state of a service, as far as order depends on it.
type State uint8

const (
	// Down is a service that does not run. It is the state of a new service.
	Down State = iota
	// Up is a service that has been ordered to start and has not ended for
	// good. It is set with the order, not with the report that the process
	// runs: otherwise a stop between the two would not wait for the service. A
	// service that died and is about to be restarted is still Up.
	Up
	// Ready is a running service that can do its work, or a oneshot that
	// ended with success and has not been undone.
	Ready
	// GivenUp is a service that does not run and is not started again. It is
	// never offered by Next.
	GivenUp
)

func (s State) running() bool { return s == Up || s == Ready }

// Graph is the services and what they need. The zero value is an empty graph.
// It is not safe for concurrent use.
type Graph struct {
	nodes    map[string]*node
	pending  []*node // those for which Next may have a new answer
	stale    bool    // services have changed since the components were computed
	stopping bool
}

// node is a service, a bundle, or a name that does not exist but is needed.
type node struct {
	name       string
	exists     bool
	bundle     bool
	state      State   // of a service
	needs      []*node // sorted by name; what a bundle contains
	dependents []*node

	ready     bool // satisfies its dependents
	unmet     int  // how many of its needs are not ready
	component *component

	pending bool // in Graph.pending
	offered bool // Next has returned it, and it still may start or stop

	index, low int // for components
}

// Put adds a service, or changes what a service needs; its state stays. The
// names in needs may be unknown, repeated and in any order.
func (g *Graph) Put(name string, needs []string) { g.put(name, needs, false) }

// PutBundle adds a bundle, or changes what it contains. A service that becomes
// a bundle, or a bundle that becomes a service, begins Down: stop it first.
func (g *Graph) PutBundle(name string, contents []string) { g.put(name, contents, true) }

func (g *Graph) put(name string, needs []string, bundle bool) {
	needs = slices.Compact(slices.Sorted(slices.Values(needs)))
	n := g.node(name)
	if n.exists && n.bundle == bundle && slices.EqualFunc(n.needs, needs, func(m *node, name string) bool { return m.name == name }) {
		return
	}
	fresh := !n.exists
	if n.bundle != bundle {
		n.state, n.offered = Down, false
	}
	n.exists, n.bundle = true, bundle
	old := n.needs
	n.needs = make([]*node, 0, len(needs))
	for _, m := range old {
		m.dependents = without(m.dependents, n)
	}
	for _, name := range needs {
		m := g.node(name)
		m.dependents = append(m.dependents, n)
		n.needs = append(n.needs, m)
	}
	for _, m := range old {
		g.forget(m)
	}
	// A new service that nothing needs, not even itself, closes no cycle and
	// changes no answer but its own.
	if !fresh || len(n.dependents) > 0 {
		g.stale = true
		return
	}
	g.countUnmet(n)
	g.touch(n)
}

// Remove removes a service or bundle, whatever its state. What needs it waits
// until it is added again.
func (g *Graph) Remove(name string) {
	n := g.nodes[name]
	if n == nil || !n.exists {
		return
	}
	if len(n.dependents) == 0 {
		g.Set(name, Down) // no longer keeps its needs from stopping
	} else {
		g.stale = true
	}
	needs := n.needs
	n.exists, n.bundle, n.state, n.needs, n.offered = false, false, Down, nil, false
	for _, m := range needs {
		m.dependents = without(m.dependents, n)
		g.forget(m)
	}
	g.forget(n)
}

// Set sets the state of a service. It does nothing for bundles, whose state
// follows from what they contain, and for unknown names.
func (g *Graph) Set(name string, s State) {
	n := g.nodes[name]
	if n == nil || !n.exists || n.bundle || n.state == s {
		return
	}
	was := n.state
	n.state = s
	n.offered = n.offered && was.running() && s.running()
	if g.stale {
		return
	}
	g.touch(n)
	g.setReady(n, s == Ready)
	switch {
	case s.running() && !was.running():
		g.hold(n.component, 1, 0)
	case !s.running() && was.running():
		g.hold(n.component, -1, 0)
	}
}

// State returns the state of a service and whether the service exists. A
// bundle is Ready or Down.
func (g *Graph) State(name string) (s State, ok bool) {
	g.refresh()
	n := g.nodes[name]
	switch {
	case n == nil || !n.exists:
		return Down, false
	case n.bundle && n.ready:
		return Ready, true
	}
	return n.state, true
}

// Stop begins the stop of all services: from now on nothing may start, and
// Next returns what may stop.
func (g *Graph) Stop() {
	if g.stopping {
		return
	}
	g.stopping = true
	for _, n := range g.nodes {
		n.offered = false
		g.touch(n)
	}
}

// Next returns what may start, and after Stop what may stop, both sorted. It
// returns a service once, and again only after it has been started or stopped,
// or could not be for a while. A service that the caller does not want to start
// stays Down; MayStart answers when it is wanted later.
func (g *Graph) Next() (start, stop []string) {
	g.refresh()
	for _, n := range g.pending {
		n.pending = false
		if g.nodes[n.name] != n {
			continue // it was removed
		}
		starts, stops := g.startable(n), g.stoppable(n)
		switch {
		case n.offered:
		case starts:
			start = append(start, n.name)
		case stops:
			stop = append(stop, n.name)
		}
		n.offered = starts || stops
	}
	clear(g.pending) // lets removed nodes be freed
	g.pending = g.pending[:0]
	slices.Sort(start)
	slices.Sort(stop)
	return start, stop
}

func (g *Graph) startable(n *node) bool {
	return n.exists && !n.bundle && n.state == Down && n.unmet == 0 && !n.component.cyclic && !g.stopping
}

func (g *Graph) stoppable(n *node) bool {
	return g.stopping && n.state.running() && n.component.holders == 0
}

// node returns the node of that name, which it makes if there is none.
func (g *Graph) node(name string) *node {
	n := g.nodes[name]
	if n == nil {
		n = &node{name: name}
		n.component = &component{members: []*node{n}}
		if g.nodes == nil {
			g.nodes = make(map[string]*node)
		}
		g.nodes[name] = n
	}
	return n
}

// forget drops a node that neither exists nor is needed.
func (g *Graph) forget(n *node) {
	if !n.exists && len(n.dependents) == 0 {
		delete(g.nodes, n.name)
	}
}

func (g *Graph) touch(n *node) {
	if !n.pending {
		n.pending = true
		g.pending = append(g.pending, n)
	}
}

// countUnmet computes what of n follows from its needs.
func (g *Graph) countUnmet(n *node) {
	n.unmet = 0
	for _, m := range n.needs {
		if !m.ready {
			n.unmet++
		}
	}
	n.ready = n.isReady()
}

func (n *node) isReady() bool {
	if n.bundle {
		return n.unmet == 0 && !n.component.cyclic
	}
	return n.state == Ready
}

// setReady passes on to the dependents of n that it is or is not ready.
func (g *Graph) setReady(n *node, ready bool) {
	if n.ready == ready {
		return
	}
	n.ready = ready
	for _, d := range n.dependents {
		if ready {
			d.unmet--
		} else {
			d.unmet++
		}
		g.touch(d)
		if d.bundle {
			g.setReady(d, d.isReady())
		}
	}
}

// without returns nodes without n, in any order.
func without(nodes []*node, n *node) []*node {
	i := slices.Index(nodes, n)
	if i < 0 {
		return nodes
	}
	last := len(nodes) - 1
	nodes[i], nodes[last] = nodes[last], nil
	return nodes[:last]
}

// names returns the sorted names of nodes.
func names(nodes []*node) []string {
	list := make([]string, 0, len(nodes))
	for _, n := range nodes {
		list = append(list, n.name)
	}
	slices.SortFunc(list, strings.Compare)
	return list
}
