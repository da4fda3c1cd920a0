// Package signame converts signals to their names and back.
package signame

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The real-time signals that the C library leaves to programs (signal(7)): it
// keeps the kernel's first two, 32 and 33, for its threads.
const (
	rtMin = 34
	rtMax = 64
)

// Name returns a signal's name without SIG: "TERM", or "RTMIN+3" for a
// real-time signal. A signal without a name is its number.
func Name(sig syscall.Signal) string {
	if name, ok := strings.CutPrefix(unix.SignalName(sig), "SIG"); ok {
		return name
	}
	if sig >= rtMin && sig <= rtMax {
		return "RTMIN+" + strconv.Itoa(int(sig)-rtMin)
	}
	return strconv.Itoa(int(sig))
}

// Full returns a signal's name with SIG: "SIGTERM", "SIGRTMIN+3". A signal
// without a name is its number.
func Full(sig syscall.Signal) string {
	name := Name(sig)
	if name[0] >= 'A' {
		return "SIG" + name
	}
	return name
}

// Parse returns the signal of a name or number: TERM, SIGTERM, term, 15,
// RTMIN+3 or RTMAX-1. The error quotes the text.
func Parse(text string) (syscall.Signal, error) {
	text = strings.ToUpper(strings.TrimSpace(text))
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n <= rtMax {
		return syscall.Signal(n), nil
	}
	name := strings.TrimPrefix(text, "SIG")
	if sig := unix.SignalNum("SIG" + name); sig != 0 {
		return sig, nil
	}
	base, sign := rtMin, 1
	offset, ok := strings.CutPrefix(name, "RTMIN")
	if !ok {
		base, sign = rtMax, -1
		offset, ok = strings.CutPrefix(name, "RTMAX")
	}
	if ok && offset == "" {
		return syscall.Signal(base), nil
	}
	if n, err := strconv.Atoi(offset); ok && err == nil && n*sign >= 0 && base+n >= rtMin && base+n <= rtMax {
		return syscall.Signal(base + n), nil
	}
	return 0, fmt.Errorf("%q is not a signal", text)
}
