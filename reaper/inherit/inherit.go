// Package inherit has what this process was given by the one that started it,
// and that the Go runtime changes before any other package is initialized: the
// signal mask, the ignored signals and the limit of open files.
//
// # The entry
//
// It can see them because the program does not begin with the Go runtime:
//
//	go build -ldflags '-E svinit/reaper/inherit.entry'
//
// makes an assembly function of this package the entry point of the program
// (linux/amd64 and arm64). It runs on the kernel's first stack, makes a few
// system calls, and jumps to the entry point of the Go runtime. Apart from
// noting the signals and the limit, it does what must be done while the process
// has one thread and no signal handlers:
//
//   - It makes room for 1,024 descriptors. The kernel doubles the table when it
//     is full, and in a process with more than one thread it waits for an RCU
//     grace period of several milliseconds each time.
//   - In PID 1, on amd64, it catches the signals that the Go runtime has no use for. Between
//     the start of the runtime and the call of signals.Listen, a TERM would end
//     the program with code 2, and blocking it does not help: the runtime
//     unblocks it. So a handler notes these signals, which are acted on later
//     ([Arrived]), and the runtime is kept from replacing that handler. It sets
//     all its handlers by a function in _cgo_sigaction, where there is one, which
//     is meant for the thread sanitizer of a program with cgo.
//
// A program that was built without the option loses that and nothing else:
// [Known] is false. The limit is known in both: packages are initialized in the
// order of their import paths once what they import is, so this package, which
// imports nothing and whose path sorts before "syscall", can read the limit
// before package syscall raises it.
package inherit

// What the entry notes. Signal N is bit N-1.
var (
	entered uint64    // 1 if the program began with the entry
	mask    uint64    // the signals that were blocked
	ignored uint64    // the signals that were ignored
	limit   [2]uint64 // RLIMIT_NOFILE, as the kernel's struct rlimit64
	kept    uint64    // the signals whose handler is the entry's
	//lint:ignore U1000 the assembly uses it
	noted uint64 // the signals that this handler has noted
)

func init() {
	if entered == 0 {
		readLimit(&limit)
	}
}

// Known reports whether Blocked and Ignored are known.
func Known() bool { return entered != 0 }

// Blocked returns the signal mask that this process was given: signal N is bit
// N-1. It is 0 if that is not Known.
func Blocked() uint64 { return mask }

// Ignored returns the signals that this process was given as ignored: signal N is
// bit N-1. It is 0 if that is not Known.
func Ignored() uint64 { return ignored }

// OpenFiles returns the limit of open files (RLIMIT_NOFILE in getrlimit(2)) that
// this process was given: the soft and the hard limit, as struct rlimit64. The
// caller does not change it.
func OpenFiles() *[2]uint64 { return &limit }

// OpenFilesChanged reports whether package syscall has raised the soft limit, to one
// less than the hard limit.
func OpenFilesChanged() bool { return limit[0]+1 < limit[1] }

// Caught returns the signals that the entry catches until Release is called: none
// but in PID 1. Signal N is bit N-1.
func Caught() uint64 { return kept }

// Release lets the Go runtime set the actions of the Caught signals. The caller
// has set one for each of them, since the runtime believes that it has.
func Release() {
	if kept != 0 {
		kept = 0
		stopKeeping()
	}
}

// Arrived returns the Caught signals that have arrived since the last call. Signal
// N is bit N-1.
func Arrived() uint64 { return takeNoted() }
