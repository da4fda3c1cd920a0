package main

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A stamp is one record of a trace file, as c/stamp.h writes it:
//
//	0      4       8     12      16        24
//	| kind | index | pid | spare | ns      | value |
//
// ns is CLOCK_MONOTONIC, which is one clock for all namespaces.
type stamp struct {
	kind  byte
	index int
	pid   int // inside its namespace
	ns    int64
	value int64
}

const stampSize = 32

// Kinds of stamps, by who leaves them.
const (
	stampExec   = 'E' // launch: just before exec
	stampFailed = 'F' // launch: exec failed
	stampBorn   = 'S' // service: first instruction of main
	stampTerm   = 'T' // service: ends by itself on TERM
	stampLogger = 'L' // service in log/: first instruction
	stampBegin  = 'B' // orphans, chatty: about to begin
	stampWrote  = 'W' // chatty: last write done
	stampLast   = 'N' // orphans: last fork done; value: most zombies seen
	stampGone   = 'Z' // orphans: nobody left in /proc; value: processor time of PID 1, ns
	stampRead   = 'R' // swallow: the wanted byte arrived
)

// A trace is a file on tmpfs that all helpers of a world append to. It is
// looked at once a millisecond: the times are in the records, so looking late
// costs nothing, and nobody is slowed by having to wake us.
type trace struct {
	file *os.File
	all  []stamp
}

func newTrace(path string) (*trace, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o666)
	if err != nil {
		return nil, err
	}
	return &trace{file: f}, nil
}

// read takes in what was appended since, and returns everything so far.
func (t *trace) read() []stamp {
	var buf [256 * stampSize]byte
	for {
		n, err := t.file.ReadAt(buf[:], int64(len(t.all))*stampSize)
		for b := buf[:n-n%stampSize]; len(b) > 0; b = b[stampSize:] {
			t.all = append(t.all, stamp{
				kind:  byte(binary.NativeEndian.Uint32(b[0:])),
				index: int(binary.NativeEndian.Uint32(b[4:])),
				pid:   int(binary.NativeEndian.Uint32(b[8:])),
				ns:    int64(binary.NativeEndian.Uint64(b[16:])),
				value: int64(binary.NativeEndian.Uint64(b[24:])),
			})
		}
		if err == io.EOF || n == 0 {
			return t.all
		}
	}
}

var errTimedOut = errors.New("timed out")

// until looks every millisecond whether the trace is as enough wants it.
func (t *trace) until(limit time.Duration, enough func([]stamp) bool) ([]stamp, error) {
	end := now() + int64(limit)
	for {
		all := t.read()
		if enough(all) {
			return all, nil
		}
		if now() > end {
			return all, errTimedOut
		}
		nap()
	}
}

// find is the first stamp of a kind and index at or after position from.
func find(all []stamp, from int, kind byte, index int) (stamp, bool) {
	for _, s := range all[min(from, len(all)):] {
		if s.kind == kind && s.index == index {
			return s, true
		}
	}
	return stamp{}, false
}

func count(all []stamp, kind byte) (n int) {
	for _, s := range all {
		if s.kind == kind {
			n++
		}
	}
	return n
}

// now is the clock of the stamps.
func now() int64 {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

// nap sleeps a millisecond without the Go scheduler, whose timers and thread
// hand-overs would cost the measured ones more of the two cores than the look.
func nap() {
	ts := unix.NsecToTimespec(int64(time.Millisecond))
	unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
}
