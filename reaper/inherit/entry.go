//go:build amd64 || arm64

package inherit

// What the assembly alone uses.
var (
	// early are the signals that entry catches in PID 1: those that the Go runtime
	// has no use for, and that end the program unless something has asked for them.
	//
	//lint:ignore U1000 the assembly uses it
	early uint64 = 1<<(hup-1) | 1<<(interrupt-1) | 1<<(quit-1) | 1<<(abrt-1) | 1<<(usr1-1) | 1<<(usr2-1) | 1<<(alrm-1) | 1<<(term-1) |
		1<<(stkflt-1) | 1<<(xcpu-1) | 1<<(vtalrm-1) | 1<<(winch-1) | 1<<(io-1) | 1<<(pwr-1) | -(1<<(firstRealTime-1))&(1<<64-1)
	//lint:ignore U1000 the assembly uses it
	action [4]uint64 // the kernel's struct sigaction
)

// The numbers of signals on Linux. The Go runtime leaves 32 to 34 alone.
const (
	hup           = 1
	interrupt     = 2
	quit          = 3
	abrt          = 6
	usr1          = 10
	usr2          = 12
	alrm          = 14
	term          = 15
	stkflt        = 16
	xcpu          = 24
	vtalrm        = 26
	winch         = 28
	io            = 29
	pwr           = 30
	firstRealTime = 35
)

// readLimit is prlimit(2) of RLIMIT_NOFILE, without errors: there are none.
//
//go:noescape
func readLimit(limit *[2]uint64)

// entry is the entry point of a program that is linked with -E.
//
//lint:ignore U1000 the linker uses it
func entry()

// stopKeeping lets the Go runtime set the action of every signal.
func stopKeeping()

// takeNoted empties noted and returns what it was.
func takeNoted() uint64
