// Package epoll lets one goroutine wait for many descriptors (epoll(7)).
//
// A goroutine for each would be plainer, and costs 3 to 5 KB each: the price
// of a whole service here. The epoll descriptor is itself waited for by the
// Go runtime's poller, so waiting costs no thread either.
package epoll

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Mode is when a descriptor's function is called.
type Mode uint32

const (
	// Level: again and again while there is something to read.
	Level Mode = unix.EPOLLIN
	// Edge: once for each time that something comes.
	Edge Mode = unix.EPOLLIN | unix.EPOLLET
)

// Set is a set of descriptors with, for each, what to do when it can be read
// (or has reached its end). Add and Remove may be called by any goroutine,
// Wait by one.
type Set struct {
	fd   int
	file *os.File
	raw  syscall.RawConn

	mu    sync.Mutex // guards the map alone; no function is called under it
	ready map[int32]func()
}

// New returns an empty Set. Its error is that of epoll_create1(2).
func New() (*Set, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // else os.NewFile does not poll it
		unix.Close(fd)
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	s := &Set{fd: fd, file: os.NewFile(uintptr(fd), "epoll"), ready: make(map[int32]func())}
	if s.raw, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	return s, nil
}

// Add has ready called by the goroutine in Wait when fd can be read. It may
// be called once more after Remove, and by an event of an earlier descriptor
// of the same number, so it must not mind to find nothing. Errors: those of
// epoll_ctl(2).
func (s *Set) Add(fd int, mode Mode, ready func()) error {
	s.mu.Lock()
	s.ready[int32(fd)] = ready
	s.mu.Unlock()
	err := unix.EpollCtl(s.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: uint32(mode), Fd: int32(fd)})
	if err != nil {
		s.forget(fd)
		return fmt.Errorf("add to epoll: %w", err)
	}
	return nil
}

// Remove forgets fd. It must be called before fd is closed, or the number may
// come back as somebody else's.
func (s *Set) Remove(fd int) {
	unix.EpollCtl(s.fd, unix.EPOLL_CTL_DEL, fd, nil)
	s.forget(fd)
}

func (s *Set) forget(fd int) {
	s.mu.Lock()
	delete(s.ready, int32(fd))
	s.mu.Unlock()
}

// Wait sleeps until a descriptor is ready and calls the functions of all that
// are. Its error says that the set was closed.
func (s *Set) Wait() error {
	for n := 0; n == 0; {
		// The function is called first, and again after each sleep.
		if err := s.raw.Read(func(uintptr) bool { n = s.Poll(); return n > 0 }); err != nil {
			return err
		}
	}
	return nil
}

// Poll is Wait without the sleep: it returns how many functions it called.
func (s *Set) Poll() int {
	var events [64]unix.EpollEvent
	n, err := unix.EpollWait(s.fd, events[:], 0)
	for err == unix.EINTR {
		n, err = unix.EpollWait(s.fd, events[:], 0)
	}
	for _, e := range events[:max(n, 0)] {
		s.mu.Lock()
		ready := s.ready[e.Fd]
		s.mu.Unlock()
		if ready != nil {
			ready()
		}
	}
	return max(n, 0)
}

// Close ends Wait.
func (s *Set) Close() { s.file.Close() }
