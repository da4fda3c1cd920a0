package graph

import (
	"slices"
	"strings"
)

// Cause is why something that is needed is not ready.
type Cause uint8

const (
	NotStarted Cause = iota // it is down, perhaps because it waits itself
	NotReady                // it runs, and is not ready yet or no longer
	Failed                  // it was given up
	Missing                 // there is no service or bundle of that name
	Circular                // it is a member of a cycle
)

// String returns the cause as the end of a sentence: "is not ready".
func (c Cause) String() string {
	switch c {
	case NotStarted:
		return "is down"
	case NotReady:
		return "is not ready"
	case Failed:
		return "was given up"
	case Missing:
		return "does not exist"
	default:
		return "is part of a cycle"
	}
}

// Wait is something that a service waits for, and why.
type Wait struct {
	Name  string
	Cause Cause
}

// String returns a sentence: "db is not ready".
func (w Wait) String() string { return w.Name + " " + w.Cause.String() }

// MayStart reports whether a service may start, and if not, what it waits for,
// sorted by name. A need that is a bundle is named by those of its contents
// that are not ready. The answer for a service that already runs is yes: a
// restart waits for nothing. Nothing may start after Stop, which is not in the
// list, and a bundle never starts: its list is why it is not ready. MayStart
// says nothing of GivenUp: whether to try again is the caller's decision.
func (g *Graph) MayStart(name string) (ok bool, waits []Wait) {
	g.refresh()
	n := g.nodes[name]
	switch {
	case n == nil || !n.exists:
		return false, []Wait{{name, Missing}}
	case g.stopping:
		return false, nil
	case n.state.running():
		return true, nil
	case !n.bundle && n.unmet == 0 && !n.component.cyclic:
		return true, nil
	}
	seen := make(map[*node]bool)
	var walk func(n *node)
	walk = func(from *node) {
		for _, m := range from.needs {
			inCycle := m.component.cyclic && m.component == n.component
			if seen[m] || m.ready && !inCycle {
				continue
			}
			seen[m] = true
			if m.bundle && !m.component.cyclic {
				walk(m)
				continue
			}
			cause := m.cause()
			if inCycle {
				cause = Circular
			}
			waits = append(waits, Wait{m.name, cause})
		}
	}
	walk(n)
	slices.SortFunc(waits, func(a, b Wait) int { return strings.Compare(a.Name, b.Name) })
	return false, waits
}

// cause says why n is not ready.
func (n *node) cause() Cause {
	switch {
	case !n.exists:
		return Missing
	case n.state.running():
		return NotReady
	case n.component.cyclic:
		return Circular
	case n.state == GivenUp:
		return Failed
	}
	return NotStarted
}

// MayStop reports whether nothing runs that needs the service, directly or
// through others, and if something does, the nearest of those that run, sorted.
// Members of the same cycle do not wait for each other.
func (g *Graph) MayStop(name string) (ok bool, waitsFor []string) {
	g.refresh()
	n := g.nodes[name]
	if n == nil || n.component.holders == 0 {
		return true, nil
	}
	var running []*node
	seen := make(map[*node]bool)
	var walk func(n *node)
	walk = func(from *node) {
		for _, d := range from.dependents {
			if seen[d] {
				continue
			}
			seen[d] = true
			if d.state.running() && d.component != n.component {
				running = append(running, d)
			} else {
				walk(d)
			}
		}
	}
	walk(n)
	return false, names(running)
}

// Waiting returns the services that do not start because of this one (or this
// bundle, or this name that does not exist): those that are down and need it,
// directly or through others that are down. It is sorted, and empty if the
// service is ready.
func (g *Graph) Waiting(name string) []string {
	g.refresh()
	n := g.nodes[name]
	if n == nil {
		return nil
	}
	var waiting []*node
	seen := map[*node]bool{n: true}
	var walk func(n *node)
	walk = func(from *node) {
		if from.ready {
			return
		}
		for _, d := range from.dependents {
			if seen[d] || !d.bundle && d.state != Down {
				continue
			}
			seen[d] = true
			if !d.bundle {
				waiting = append(waiting, d)
			}
			walk(d)
		}
	}
	walk(n)
	return names(waiting)
}

// Absent is a name that services or bundles need and that does not exist.
type Absent struct {
	Name     string
	NeededBy []string // sorted
}

// Absent returns all names that are needed and do not exist, sorted.
func (g *Graph) Absent() []Absent {
	var list []Absent
	for _, n := range g.nodes {
		if !n.exists {
			list = append(list, Absent{n.name, names(n.dependents)})
		}
	}
	slices.SortFunc(list, func(a, b Absent) int { return strings.Compare(a.Name, b.Name) })
	return list
}
