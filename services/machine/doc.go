// Package machine decides what a service does next. It is pure: it reads no
// clock, touches no descriptor and starts nothing. The owner of a service (in
// package services) feeds it events and carries out the effects that it
// returns.
//
// # Want and state
//
// What is wanted and what is so are two words. Commands change the want: up,
// down, or once. Only the world changes the state:
//
//	         start, and the second         the process
//	        since the last has passed          runs
//	┌────────┐      started               ┌────────┐
//	│  down  │ ─────────────────────────► │   up   │
//	└────────┘                            └────────┘
//	 ▲      │ start too soon,   started    │  ▲
//	 │      ▼ or failed     ┌──────────────┼──┘
//	 │    ┌─────────┐ ──────┘              │ exited, wanted up,
//	 ├─── │ backoff │ ◄────────────────────┤ and too soon
//	 │ d  └─────────┘                      │
//	 └─────────────────────────────────────┤ exited, and not wanted up
//	                                       │
//	any state, when nothing runs           ▼ and release was asked for
//	and release was asked for ─────────► released
//
// # The table
//
// What each event does in each state is in the table of table.go, which is the
// whole policy. The functions that it names are in machine.go, and how long a
// restart waits is in backoff.go. testdata/table.golden shows the table as
// text.
//
// # Deadlines
//
// A state that ends by itself has a deadline of its own kind (deadline.go).
// The owner sleeps until the earliest one and then hands its event in.
package machine
