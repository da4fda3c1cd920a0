package scan

import "svinit/services/spec"

// Kind says what a Change is.
type Kind uint8

const (
	// Added is a new service directory: Name, Dir, ID, Logger.
	Added Kind = iota + 1
	// Changed is that the directory was found as it is known: ID. Something in
	// it may have changed, so what could not be started may start now. Logger is
	// set where a logger has been added.
	Changed
	// Renamed is the same directory under another name or path: ID, and the new
	// Name and Dir.
	Renamed
	// Removed is a directory that is no longer listed: ID.
	Removed
	// Returned is a directory that is listed again and not Gone yet: ID.
	Returned
	// Acquire is that what was released while its directory stays listed is to
	// be started again: ID; Main and Logger say which.
	Acquire
	// Invalid is an entry that cannot be a service: Name, Err.
	Invalid
	// InvalidLogger is a service whose log is no directory: Name, Dir (of the
	// log), Err.
	InvalidLogger
	// Unreadable is a scan directory that cannot be listed: Dir, Err.
	Unreadable
	// Unwatched is a directory that is looked at every 5 seconds, because it
	// cannot be watched, or its file system does not report changes: Dir, Err.
	Unwatched
	// Hanging is a path whose file system does not answer: Dir, Err. Nothing is
	// done about what it belongs to until it answers.
	Hanging
	// Panicked is a bug in this package: Dir (the scan directory), Err.
	Panicked
)

// Change is one difference between the scan directory and what was reported of
// it before. Its Kind says which of its fields are set.
type Change struct {
	Kind         Kind
	spec.Source  // its name in the scan directory, and an absolute path
	ID           spec.Identity
	Main, Logger bool
	Err          error // why, naming the file and the remedy where there is one
}

// Fact is what Report tells the Scanner of a service.
type Fact uint8

const (
	// Gone is that a Removed service has ended, with its logger.
	Gone Fact = iota + 1
	// MainReleased is that a service has ended and is not to be started again,
	// though it is still listed (svc -x).
	MainReleased
	// LoggerReleased is the same of its logger.
	LoggerReleased
	// LoggerFailed is that the logger of a service cannot have a pipe.
	LoggerFailed
)

type report struct {
	id   spec.Identity
	fact Fact
}
