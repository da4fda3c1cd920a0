package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// measurePlain: an init in front of one command, with no services: what its
// start adds to the command's, what it holds while it waits, how often it
// wakes, and how long a signal takes through it.
func measurePlain(b *bench) *section {
	s := &section{title: "plain: one command and no services"}
	var here []plainInit
	for _, i := range b.plainInits() {
		if i.name == floor.name {
			continue
		}
		here = append(here, i)
		s.columns = append(s.columns, i.name)
	}
	start, memory, wakes, latency := newTally(), newTally(), newTally(), newTally()
	for range b.times(300, 100) {
		for _, i := range here {
			took, err := b.plainOnce(i)
			if err != nil {
				start.fail(i.name, err.Error())
				continue
			}
			// The target names tini; the others are there to be seen.
			start.add(i.name, i.name == "tini", ms(took))
		}
	}
	for range min(b.times(3, 1), 5) { // half a minute each
		for _, i := range here {
			kb, woken, took, err := b.plainRest(i)
			if err != nil {
				memory.fail(i.name, err.Error())
				continue
			}
			memory.add(i.name, i.peer, kb)
			wakes.add(i.name, i.peer, woken)
			for _, d := range took {
				latency.add(i.name, i.name == "tini", ms(d))
			}
		}
	}
	s.row("exec of PID 1 to its end, of true, ms", "%.2f", start, false).
		judge(start, false, true, "tini + 2 ms", func(ours, best float64) bool { return ours <= best+2 })
	s.row("PSS at rest, KB", "%.0f", memory, false).
		judge(memory, false, true, "< 3072 KB", func(ours, _ float64) bool { return ours < 3072 })
	s.row("wake-ups in 5 s", "%.0f", wakes, false).
		judge(wakes, false, true, "0", func(ours, _ float64) bool { return ours == 0 })
	s.row("a signal to PID 1 and its handler's first write, ms", "%.3f", latency, false).
		judge(latency, false, true, "tini + 0.2 ms", func(ours, best float64) bool { return ours <= best+0.2 })
	return s
}

// plainOnce runs true.
func (b *bench) plainOnce(i plainInit) (time.Duration, error) {
	w, err := b.world(plan{dark: true})
	if err != nil {
		return 0, err
	}
	defer w.close()
	os.Remove(w.scan()) // no scan directory
	if err := w.boot(i.argv(b, b.tool("noop")), nil); err != nil {
		return 0, err
	}
	_, err = wait(w.pid, patience)
	end := now()
	w.pid = 0
	born, ok := find(w.trace.read(), 0, stampExec, 0)
	if err == nil && !ok {
		err = fmt.Errorf("no exec stamp (%s)", w.complaint())
	}
	return time.Duration(end - born.ns), err
}

// plainRest runs a shell that answers signals, and leaves it in peace first.
func (b *bench) plainRest(i plainInit) (kb, woken float64, took []time.Duration, err error) {
	w, err := b.world(plan{dark: true})
	if err != nil {
		return 0, 0, nil, err
	}
	defer w.close()
	os.Remove(w.scan())
	r, answers, err := os.Pipe()
	if err != nil {
		return 0, 0, nil, err
	}
	defer r.Close()
	// It waits by reading a FIFO, since a shell's trap waits for the end of sleep.
	script := `trap 'echo x' USR1; mkfifo f; exec 3<>f; echo ready; while :; do read x <&3; done`
	err = w.boot(i.argv(b, "/bin/sh", "-c", script), answers)
	answers.Close()
	if err != nil {
		return 0, 0, nil, err
	}
	r.SetReadDeadline(time.Now().Add(patience))
	line := make([]byte, 16)
	if n, err := r.Read(line); err != nil || !strings.HasPrefix(string(line[:n]), "ready") {
		return 0, 0, nil, fmt.Errorf("the shell said %q: %v", line[:n], err)
	}
	time.Sleep(3 * time.Second) // to come to rest
	if kb, err = pss(w.pid); err != nil {
		return 0, 0, nil, err
	}
	before, _ := w.switches()
	time.Sleep(5 * time.Second)
	after, _ := w.switches()
	for range b.times(200, 50) {
		begin := now()
		if err := syscall.Kill(w.pid, syscall.SIGUSR1); err != nil {
			return 0, 0, nil, err
		}
		if _, err := r.Read(line); err != nil {
			return 0, 0, nil, err
		}
		took = append(took, time.Duration(now()-begin))
		time.Sleep(2 * time.Millisecond)
	}
	return kb, float64(after - before), took, nil
}
