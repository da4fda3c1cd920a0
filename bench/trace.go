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

// A stamp is a record of a trace file, as c/stamp.h writes it:
//
//	0      4       8     12      16        24
//	| kind | index | pid | spare | ns      | value |
//
// ns is CLOCK_MONOTONIC, which is the same in all PID namespaces.
type stamp struct {
	kind  byte
	index int
	pid   int // in the PID namespace of the process
	ns    int64
	value int64
}

const stampSize = 32

// Kinds of stamps, with the helpers that write them.
const (
	stampPID    = 'P' // launch: value is the PID of PID 1 in the PID namespace of bench
	stampExec   = 'E' // launch: just before exec
	stampStart  = 'S' // service: first instruction of main
	stampTerm   = 'T' // service: exits on TERM
	stampLogger = 'L' // service in log/: first instruction
	stampBegin  = 'B' // orphans, writer, labelled: before the first fork or write
	stampLast   = 'N' // orphans: after the last fork; value: most zombies seen
	stampReaped = 'Z' // orphans: all orphans are reaped; value: processor time of PID 1, ns
	stampRead   = 'R' // sink: the last byte arrived
)

// A trace is a file on tmpfs to which all helpers of a sandbox append. bench reads
// it every millisecond. The records contain the times, so that a late read does
// not matter, and no helper spends time on waking bench.
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

// read returns all stamps so far.
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

// until reads the trace every millisecond until enough returns true.
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
		pause()
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

// now is the time of the clock of the stamps, in ns.
func now() int64 {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

// pause sleeps a millisecond without the Go scheduler, whose timers and thread
// switches would take more processor time from the contenders than the read.
func pause() {
	ts := unix.NsecToTimespec(int64(time.Millisecond))
	unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
}
