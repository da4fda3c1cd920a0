package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// label is what a line of the chatty service begins with, its name being s0000.
const label = "s0000: "

// A collector is a way from the chatty writer's lines to a pipe that swallow
// reads: through svinit as PID 1, or through a filter in a plain pipeline.
type collector struct {
	name    string
	peer    bool
	prefix  int      // bytes it adds to each line
	filter  []string // nil: svinit
	program string
}

var collectors = []collector{
	{"svinit", false, len(label), nil, ""},
	{"cat", false, 0, []string{"cat"}, "cat"},
	// The only logger here that can name lines and write to its stdout. svlogd
	// and multilog write to directories, supervisord passes lines unnamed.
	{"s6-log", true, len(label), []string{"s6-log", "ps0000:", "1"}, "s6-log"},
	{"sed", true, len(label), []string{"sed", "s/^/" + label + "/"}, "sed"},
}

// measureLog: how fast one service's lines get through to a reader that does
// nothing, named on the way. cat, which names nothing, is the yardstick.
func measureLog(b *bench) *section {
	s := &section{title: "log: one service's 100-byte lines through a pipe to stdout, MB/s of the service's bytes"}
	var here []collector
	for _, c := range collectors {
		if c.filter == nil && b.svinit == "" || c.filter != nil && !installed(c.program) {
			continue
		}
		here = append(here, c)
		s.columns = append(s.columns, c.name)
	}
	for _, how := range []struct {
		name  string
		chunk int
		mb    int
	}{
		{"a line a write", 100, 200}, {"64 KiB a write", 65536, 600},
	} {
		t := newTally()
		if b.quick {
			how.mb /= 4
		}
		for range b.times(5, 2) {
			for _, c := range here {
				if t.failed(c.name) {
					continue
				}
				mb := how.mb
				if c.peer {
					mb /= 4 // slow, and only to be seen
				}
				rate, err := b.logOnce(c, int64(mb)*1_000_000, how.chunk)
				if err != nil {
					t.fail(c.name, err.Error())
					continue
				}
				t.add(c.name, c.peer, rate)
			}
		}
		r := s.row(how.name, "%.0f", t, true)
		r.judgeCat(t)
	}
	s.note("s6-log and sed stand for the peers that name lines; cat names none. The ratio is to the faster of the two.")
	return s
}

// judgeCat marks the row by how near our median comes to cat's.
func (r *row) judgeCat(t *tally) {
	r.target = "0.8 of cat"
	if ours, ok := t.median("svinit"); ok {
		if cat, ok := t.median("cat"); ok {
			r.target = fmt.Sprintf("0.8 of cat (is %.2f)", ours/cat)
			r.mark = verdict(ours >= 0.8*cat)
		}
	} else if t.failed("svinit") {
		r.mark = miss
	}
}

func (b *bench) logOnce(c collector, bytes int64, chunk int) (float64, error) {
	w, err := b.world(plan{services: 1, run: "chatty", cfg: fmt.Sprintf("%d %d\n", bytes, chunk)})
	if err != nil {
		return 0, err
	}
	defer w.close()
	out, in, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer out.Close()
	defer in.Close()
	want := bytes + bytes/100*int64(c.prefix)
	reader, err := b.spawn(w, out, nil, b.tool("swallow"), w.trace.file.Name(), fmt.Sprint(want))
	if err != nil {
		return 0, err
	}
	defer end(reader)
	if c.filter == nil {
		if err := w.boot(svinit.argv(w), in); err != nil {
			return 0, err
		}
	} else {
		stop, err := b.pipeline(w, in, c.filter, b.tool("chatty"), w.trace.file.Name(), fmt.Sprint(bytes), fmt.Sprint(chunk))
		defer stop()
		if err != nil {
			return 0, err
		}
	}
	in.Close()
	return w.rate(bytes, want)
}

// pipeline starts a writer and a filter behind it that writes to out. The
// function that it returns ends them.
func (b *bench) pipeline(w *world, out *os.File, filter []string, writer ...string) (stop func(), err error) {
	var pids []int
	stop = func() {
		for _, pid := range pids {
			end(pid)
		}
	}
	mid, source, err := os.Pipe()
	if err != nil {
		return stop, err
	}
	defer mid.Close()
	defer source.Close()
	for _, p := range []struct {
		in, out *os.File
		argv    []string
	}{{mid, out, filter}, {nil, source, writer}} {
		pid, err := b.spawn(w, p.in, p.out, p.argv...)
		if err != nil {
			return stop, err
		}
		pids = append(pids, pid)
	}
	return stop, nil
}

// rate waits until all has arrived, want bytes, and returns how many MB of the
// writer's bytes that was a second.
func (w *world) rate(bytes, want int64) (float64, error) {
	all, err := w.trace.until(patience, func(all []stamp) bool { return count(all, stampRead) > 0 })
	if err != nil {
		return 0, fmt.Errorf("%w: %d bytes did not arrive", err, want)
	}
	begin, ok := find(all, 0, stampBegin, 0)
	if !ok {
		return 0, fmt.Errorf("no bytes sent, yet they arrived")
	}
	arrived, _ := find(all, 0, stampRead, 0)
	return float64(bytes) / 1e6 / time.Duration(arrived.ns-begin.ns).Seconds(), nil
}

// spawn starts one program of a plain pipeline.
func (b *bench) spawn(w *world, stdin, stdout *os.File, argv ...string) (int, error) {
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	if stdin == nil {
		stdin = null
	}
	if stdout == nil {
		stdout = null
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return 0, err
	}
	return syscall.ForkExec(path, argv, &syscall.ProcAttr{
		Dir:   w.root,
		Env:   environment,
		Files: []uintptr{stdin.Fd(), stdout.Fd(), w.stderr.Fd()},
		Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
}

// end kills and collects a program of a pipeline, if it is still there.
func end(pid int) {
	syscall.Kill(pid, syscall.SIGKILL)
	wait(pid, patience)
}
