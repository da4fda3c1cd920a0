// Package services supervises service directories: it starts what is in them,
// restarts it when it exits, obeys commands and writes the status.
//
// # Owners
//
// Each service, and each logger, has an owner: a goroutine that alone touches
// the state of its service. It sleeps until something happens, takes a step of
// the state machine (package machine) and carries out the effects (owner.go,
// launch.go). What it knows is in its record, plain values; what it holds open
// is in its handles; what others want of it comes through its inbox, which
// never blocks the sender. What uses the disk or forks is done by jobs (job.go),
// a few at a time (slots.go), so that a file system that hangs keeps no owner
// from obeying.
//
// What a service is (package spec) is read anew before each start.
//
// # The set
//
// A Set has one goroutine, too. It starts and dismisses owners as package scan
// reports what there is in the scan directory (set.go, entry.go), and makes no
// call into a file system itself. Owners report to it when their service is
// ready, when it is down for good, and when they end. An entry is a main service
// and perhaps a logger, and then the pipe between the two, of which both ends
// stay open here, so that no byte is lost when either side exits. A service is
// told apart by the identity of its directory, not by its name.
package services
