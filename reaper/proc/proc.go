// Package proc reads what /proc says of processes.
package proc

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Process is a process as /proc/PID/stat describes it.
type Process struct {
	PID     int
	Name    string // the command (comm), made printable
	State   byte   // 'Z' for a zombie, 'T' for a stopped process
	Parent  int    // pid; 0 for a parent outside of the PID namespace
	Session int    // pid of its leader; 0 for a session from outside
	Start   uint64 // clock ticks after boot: with the pid, the identity of the process
}

// Read reads /proc/PID/stat. Errors: those of open(2) and read(2) (ESRCH when
// the process has just been reaped), os.ErrInvalid for text that is not of the
// form. With an error the Process has only its PID.
func Read(pid int) (Process, error) {
	// Package os would register the file with the Go runtime's poller, which
	// costs five more system calls for each file.
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Process{PID: pid}, err
	}
	defer unix.Close(fd)
	var buf [1024]byte // 52 numbers of 20 digits at most, most far shorter
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return Process{PID: pid}, err
	}
	return parse(pid, buf[:n])
}

// Parent returns the pid of a process's parent, 0 where it cannot be known.
func Parent(pid int) int {
	p, _ := Read(pid)
	return p.Parent
}

// Name returns the command of a process, made printable; "" where it cannot be
// known.
func Name(pid int) string {
	p, _ := Read(pid)
	return p.Name
}

// UID returns the real user id of a process. Errors: those of open(2) and
// read(2), os.ErrInvalid for text that is not of the form.
func UID(pid int) (int, error) {
	b, err := readAll("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	// "Uid:\treal\teffective\tsaved\tfilesystem\n". A name has no newline here.
	_, rest, found := bytes.Cut(b, []byte("\nUid:\t"))
	real, _, _ := bytes.Cut(rest, []byte("\t"))
	uid, err := strconv.Atoi(string(real))
	if !found || err != nil {
		return 0, os.ErrInvalid
	}
	return uid, nil
}

// All returns the processes that /proc shows. They are those of this PID
// namespace only where OwnNamespace says so. A process that ends meanwhile may
// be missing.
func All() ([]Process, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var all []Process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, err := Read(pid); err == nil {
			all = append(all, p)
		}
	}
	return all, nil
}

// Children returns the pids of this process's children, but for those that
// another thread than the first has made: of orphans, the first thread is the
// parent (find_new_reaper in the kernel). The list can be incomplete while
// children end. Errors: those of reading the file; os.ErrNotExist where /proc is
// that of another PID namespace, or the kernel has no such file.
func Children() ([]int, error) {
	self := strconv.Itoa(os.Getpid())
	b, err := readAll("/proc/self/task/" + self + "/children")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, f := range bytes.Fields(b) {
		if pid, err := strconv.Atoi(string(f)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// readAll reads a file without the poller; see Read.
func readAll(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var all []byte
	var buf [1024]byte
	for {
		n, err := unix.Read(fd, buf[:])
		if err != nil || n == 0 {
			return all, err
		}
		all = append(all, buf[:n]...)
	}
}

// OwnNamespace reports whether /proc shows this process's PID namespace. A
// /proc that is mounted from another namespace numbers processes differently.
func OwnNamespace() bool {
	self, err := os.Readlink("/proc/self")
	return err == nil && self == strconv.Itoa(os.Getpid())
}

// The fields of /proc/PID/stat that are of interest, counted behind the command
// (proc_pid_stat(5) counts from 1, with the command as the second):
//
//	pid (comm) state ppid pgrp session tty_nr … starttime …
//	           0     1    2    3       4        19
const (
	fieldState   = 0
	fieldParent  = 1
	fieldSession = 3
	fieldStart   = 19
)

// parse parses the text of /proc/PID/stat. The command can hold anything,
// parentheses and newlines too, so the fields are counted from the last
// parenthesis.
func parse(pid int, text []byte) (Process, error) {
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if begin < 0 || end < begin {
		return Process{PID: pid}, os.ErrInvalid
	}
	fields := bytes.Fields(text[end+1:])
	if len(fields) <= fieldStart || len(fields[fieldState]) != 1 {
		return Process{PID: pid}, os.ErrInvalid
	}
	parent, err1 := strconv.Atoi(string(fields[fieldParent]))
	session, err2 := strconv.Atoi(string(fields[fieldSession]))
	start, err3 := strconv.ParseUint(string(fields[fieldStart]), 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return Process{PID: pid}, os.ErrInvalid
	}
	return Process{pid, printable(text[begin+1 : end]), fields[fieldState][0], parent, session, start}, nil
}

// printable returns text with a question mark for each character beyond
// printable ASCII: a terminal might obey it.
func printable(text []byte) string {
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text))
}
