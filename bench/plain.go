package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// measurePlain: an init in front of one command, without services: the time that
// it adds to the command, its memory and its wake-ups while it waits, and how
// long it takes to forward a signal.
func measurePlain(b *bench) *section {
	all := slices.DeleteFunc(b.plainInits(), func(i plainInit) bool { return i.name == baseline.name })
	s := newSection("plain: one command and no services", initTitles(all))
	start, memory, wakeups, latency := newResults(), newResults(), newResults(), newResults()
	for round := range b.times(300, 100) {
		for _, i := range inTurn(all, round) {
			if start.failed(i.name) {
				continue
			}
			took, err := b.plainOnce(i)
			if err != nil {
				start.fail(i.name, err.Error())
				continue
			}
			// The targets are relative to tini; the other peers are for information.
			start.add(i.name, i.name == "tini", ms(took))
		}
	}
	for round := range min(b.times(3, 1), 5) { // a round takes more than half a minute
		for _, i := range inTurn(all, round) {
			p, err := b.plainIdle(i)
			if err != nil {
				memory.fail(i.name, err.Error())
				continue
			}
			memory.add(i.name, i.peer, p.kb)
			wakeups.add(i.name, i.peer, p.wakeups)
			for _, d := range p.signals {
				latency.add(i.name, i.name == "tini", ms(d))
			}
		}
	}
	s.row("exec of PID 1 to its exit, of true, ms", "%.2f", start, false).
		target(start, false, true, "tini + 2 ms", func(ours, best float64) bool { return ours <= best+2 })
	s.row("PSS when idle, KB", "%.0f", memory, false).
		target(memory, false, true, "< 3072 KB", func(ours, _ float64) bool { return ours < 3072 })
	s.row("wake-ups in 5 s", "%.0f", wakeups, false).
		target(wakeups, false, true, "0", func(ours, _ float64) bool { return ours == 0 })
	s.row("signal to PID 1 until its handler's write, ms", "%.3f", latency, false).
		target(latency, false, true, "tini + 0.2 ms", func(ours, best float64) bool { return ours <= best+0.2 })
	return s
}

// plainSandbox makes a sandbox without a scan directory.
func (b *bench) plainSandbox() (*sandbox, error) {
	s, err := b.sandbox(layout{})
	if err != nil {
		return nil, err
	}
	if err := os.Remove(s.scan()); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// plainOnce runs true.
func (b *bench) plainOnce(i plainInit) (time.Duration, error) {
	s, err := b.plainSandbox()
	if err != nil {
		return 0, err
	}
	defer s.close()
	if err := s.boot(i.argv(b, b.helper("noop")), nil); err != nil {
		return 0, err
	}
	_, err = wait(s.pid, stepTimeout)
	end := now()
	s.pid = 0
	exec, ok := find(s.trace.read(), 0, stampExec, 0)
	if err == nil && !ok {
		err = fmt.Errorf("no exec stamp (%s)", s.complaint())
	}
	return time.Duration(end - exec.ns), err
}

// idleInit is what plainIdle measures.
type idleInit struct {
	kb      float64         // PSS
	wakeups float64         // in 5 s
	signals []time.Duration // from each kill(2) to the output of the handler
}

// plainIdle runs a shell with a signal handler. It measures the init first while
// the shell is idle, then with signals.
func (b *bench) plainIdle(i plainInit) (p idleInit, err error) {
	s, err := b.plainSandbox()
	if err != nil {
		return p, err
	}
	defer s.close()
	r, output, err := os.Pipe()
	if err != nil {
		return p, err
	}
	defer r.Close()
	// The shell waits by reading a FIFO: during a sleep, its trap runs only after
	// the end of the sleep.
	script := `trap 'echo x' USR1; mkfifo f; exec 3<>f; echo ready; while :; do read x <&3; done`
	err = s.boot(i.argv(b, "/bin/sh", "-c", script), output)
	output.Close()
	if err != nil {
		return p, err
	}
	r.SetReadDeadline(time.Now().Add(stepTimeout))
	line := make([]byte, 16)
	if n, err := r.Read(line); err != nil || !strings.HasPrefix(string(line[:n]), "ready") {
		return p, fmt.Errorf("the shell wrote %q: %v", line[:n], err)
	}
	time.Sleep(3 * time.Second) // until the init is idle
	if p.kb, err = pss(s.pid); err != nil {
		return p, err
	}
	before, _ := s.switches()
	time.Sleep(5 * time.Second)
	after, _ := s.switches()
	p.wakeups = float64(after - before)
	for range b.times(200, 50) {
		begin := now()
		if err := syscall.Kill(s.pid, syscall.SIGUSR1); err != nil {
			return p, err
		}
		if _, err := r.Read(line); err != nil {
			return p, err
		}
		p.signals = append(p.signals, time.Duration(now()-begin))
		time.Sleep(2 * time.Millisecond)
	}
	return p, nil
}
