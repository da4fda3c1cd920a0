// Package epoll lets one goroutine wait for many descriptors (epoll(7)).
//
// A goroutine for each descriptor would be simpler but uses 3 to 5 KB, as much
// as a whole service here. The poller of the Go runtime waits for the epoll
// descriptor itself, so that Wait holds no thread.
package epoll

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Mode is how often the function of a descriptor is called.
type Mode uint32

const (
	// Level calls it as long as there is something to read.
	Level Mode = unix.EPOLLIN
	// Edge calls it once whenever something new arrives.
	Edge Mode = unix.EPOLLIN | unix.EPOLLET
)

// Set is a set of descriptors, each with a function that is called when it can
// be read or is at its end. Any goroutine may call Add and Remove. Only one may
// call Wait and Poll.
type Set struct {
	fd   int
	file *os.File
	raw  syscall.RawConn

	mu    sync.Mutex // guards ready; it is not held while a function is called
	ready map[int32]func()
}

// New returns an empty Set. Errors: those of epoll_create1(2).
func New() (*Set, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or os.NewFile would not use the poller
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

// Add makes the goroutine in Wait call ready when fd can be read. It may call
// ready once more after Remove, and for an event of an earlier descriptor with
// the same number, so ready must accept that there is nothing to read. Errors:
// those of epoll_ctl(2).
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

// Remove forgets fd. Call it before fd is closed: afterwards the number may
// belong to another descriptor.
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
// are ready. It returns an error only after Close.
func (s *Set) Wait() error {
	for n := 0; n == 0; {
		// Read calls the function once before it sleeps, and after each sleep.
		if err := s.raw.Read(func(uintptr) bool { n = s.Poll(); return n > 0 }); err != nil {
			return err
		}
	}
	return nil
}

// Poll is Wait without the sleep. It returns the number of ready descriptors.
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
