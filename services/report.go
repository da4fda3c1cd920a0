package services

import "syscall"

// report is what an owner tells the set. The set alone acts on it: it is how
// one service can matter to another.
type report struct {
	owner  *owner
	kind   reportKind
	status syscall.WaitStatus // serviceDown: of the last process
	runs   bool               // ownerEnded: the process still runs, and cannot be signalled
}

type reportKind uint8

const (
	serviceReady reportKind = iota // it has said so; without readiness it is ready as soon as it is up
	serviceDown                    // it has ended and is not restarted by itself
	ownerEnded                     // the service is released, and its owner is gone
)
