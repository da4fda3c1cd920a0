package services

import "sync/atomic"

// inbox is how everybody else reaches an owner: a queue that has any number of
// senders and one reader. Sending never blocks and takes no lock, so that the
// reaper, the poller and the set never wait for a service.
type inbox[T any] struct {
	head atomic.Pointer[message[T]] // the newest message
	wake chan struct{}              // holds an element when there may be messages
}

type message[T any] struct {
	content T
	older   *message[T]
}

func newInbox[T any]() inbox[T] { return inbox[T]{wake: make(chan struct{}, 1)} }

// send appends a message and wakes the reader.
func (in *inbox[T]) send(content T) {
	m := &message[T]{content: content}
	for {
		m.older = in.head.Load()
		if in.head.CompareAndSwap(m.older, m) {
			break
		}
	}
	in.poke()
}

// poke wakes the reader, who looks at what it owns besides its messages, too.
// Ten pokes that are not yet noticed are one.
func (in *inbox[T]) poke() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// take returns the messages that have come, the oldest first.
func (in *inbox[T]) take() (contents []T) {
	m := in.head.Swap(nil)
	n := 0
	for x := m; x != nil; x = x.older {
		n++
	}
	if n == 0 {
		return nil
	}
	contents = make([]T, n)
	for ; m != nil; m = m.older {
		n--
		contents[n] = m.content
	}
	return contents
}
