// Package scan finds the services of a scan directory, and says what changes
// there.
//
// A Scanner has one goroutine (Run). It lists the scan directory once and then
// hears of changes through inotify(7). Where the kernel gives no watches, and
// where a file system does not report changes, it looks every 5 seconds. It
// compares what it finds with what it has
// reported before, and reports each difference as a Change: an entry was added,
// changed, renamed or removed, or cannot be a service and why. The Scanner
// starts and stops nothing.
//
// An entry of the scan directory is a service directory or a symbolic link to
// one; names that begin with a dot are ignored. A service is told apart by the
// Identity of its directory and not by its name: a directory that is renamed is
// the same service, two names for one directory are one service, and a name
// that leads to another directory is another service.
//
// A directory that is no longer listed has been Removed, but its processes take
// time to end. Its name and its directory stay taken until Report tells the
// Scanner that it is Gone. If the directory is listed again before that, it has
// Returned, and is Added once more when it is Gone.
//
// Calls into file systems can hang for ever. They are made by goroutines of their
// own, a few at most, and only return what they have found (see call). A name
// whose call hangs is left as it is until the call returns; the others go on.
package scan
