// Package services supervises service directories: it finds them in a scan
// directory, starts what is in them, starts it again when it dies, obeys
// commands and says how things stand.
//
// # Want and state
//
// What is wanted and what is so are two words. Commands change the want: up,
// down, or once. Only the world changes the state:
//
//	         start, and the second         the process
//	         since the last is over          runs
//	┌────────┐      started               ┌────────┐
//	│  down  │ ─────────────────────────► │   up   │
//	└────────┘                            └────────┘
//	 ▲      │ start too soon,   started    │  ▲
//	 │      ▼ or failed     ┌──────────────┼──┘
//	 │    ┌────────┐ ───────┘              │ died
//	 ├─── │  wait  │ ◄─────────────────────┤ and wanted up, too soon
//	 │ d  └────────┘                       │
//	 └─────────────────────────────────────┤ and not wanted up
//	                                       │
//	any state, when nothing runs           ▼ and let go (x, or leaving)
//	and it is let go ──────────────────► over
//
// What each event does in each state is in the table of table.go, which is all
// of the policy; the functions that it names are in machine.go, and are pure.
// testdata/table.golden is its picture.
//
// # Owners
//
// Each service, and each logger, has an owner: a goroutine that has all of its
// state, sleeps until something happens to it, takes a step of the machine and
// does what the step asks for (owner.go, launch.go). Nobody else touches that
// state; others ring the owner's bell and leave a question (service.ask), or
// hand over an exit status. A ring never blocks. Only owners touch the disk of
// their service, four at a time (service.aside).
//
// # The set
//
// A Set has one goroutine, too. It hears of changes from inotify, compares
// names in the scan directory with what it knows (entry.go), and starts and
// dismisses owners. An entry is a main service and perhaps a logger, and then
// the pipe between the two, of which both ends stay open here, so that neither
// side's death loses a byte. A service is told apart by the identity of its
// directory, not by its name.
package services
