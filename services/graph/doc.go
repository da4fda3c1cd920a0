// Package graph says in which order services start and stop. It is pure: it
// starts nothing, has no clock and no goroutine. Its owner (the Set of package
// services) tells it which services there are, what each needs and which
// state each is in, and asks what may start or stop next.
//
//	        start: what is needed first
//	  ◄──────────────────────────────────────────
//	┌────┐       ┌─────┐ contains ┌──────┐       ┌─────┐
//	│ db │ ◄──── │ php │ ◄─────── │ back │ ◄──── │ web │
//	└────┘ needs └─────┘          └──────┘ needs └─────┘
//	  ──────────────────────────────────────────►    (bundle: back)
//	        stop: whatever needs it first
//
// # Starting
//
// A service may start once everything that it needs is ready at the same time.
// Until then it waits, and [Graph.MayStart] names what it waits for. After it
// has started, its needs are not asked for again: a need that is no longer
// ready, restarts or ends neither stops it nor delays its restart.
//
// A bundle is a name for several services. It does not run; it is ready while
// all that it contains is ready.
//
// # Stopping
//
// After [Graph.Stop] nothing starts any more. A running service may stop once
// no service runs that needs it, directly or through others. This holds also
// where the services between the two are down, and through bundles.
//
// # Cycles
//
// Services that need each other in a circle never start, and neither does
// anything that needs one of them. [Graph.Cycles] names the members and shows
// one way around. A cycle can come about while its members run, when their
// needs change. Nothing is stopped for that, and a member that is ready still
// satisfies services outside the cycle. At the stop, the members of a cycle
// have no order among themselves, but keep their order to everything else.
//
// # Cost
//
// A state costs time in proportion to the needs and dependents of its service.
// Adding or removing a service that nothing needs costs as much. Any other
// change of the services costs one pass over the whole graph at the next
// question, however many changes there were before it.
package graph
