package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A filter is a contender of the sections about lines: a program that reads the
// lines of a writer and writes them to a reader that only counts.
type filter struct {
	name string
	peer bool
	mb   int      // bytes that the writer writes, in MB
	grow int64    // bytes that the filter adds to each line
	argv []string // nil: svinit as PID 1, with the writer as a service
	pid1 contender
}

// filterOnce measures a filter in a pipeline: the rate, in MB/s of the input, from
// the first write of the helper writer until the reader has everything.
func (b *bench) filterOnce(f filter, writer string, chunk int) (float64, error) {
	s, err := b.sandbox(layout{})
	if err != nil {
		return 0, err
	}
	defer s.close()
	bytes := int64(f.mb) * 1_000_000
	want := bytes + bytes/100*f.grow
	out, in, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer out.Close()
	defer in.Close()
	reader, err := b.spawn(s, out, nil, b.helper("sink"), s.trace.file.Name(), fmt.Sprint(want))
	if err != nil {
		return 0, err
	}
	defer end(reader)
	stop, err := b.pipeline(s, in, f.argv, b.helper(writer), s.trace.file.Name(), fmt.Sprint(bytes), fmt.Sprint(chunk))
	defer stop()
	if err != nil {
		return 0, err
	}
	in.Close()
	return s.rate(bytes, want)
}

// pipeline starts a writer, and behind it a filter that writes to out. The
// function that it returns kills them.
func (b *bench) pipeline(s *sandbox, out *os.File, filter []string, writer ...string) (stop func(), err error) {
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
		pid, err := b.spawn(s, p.in, p.out, p.argv...)
		if err != nil {
			return stop, err
		}
		pids = append(pids, pid)
	}
	return stop, nil
}

// rate waits until the reader has got want bytes, and returns the rate of the
// writer's bytes in MB/s.
func (s *sandbox) rate(bytes, want int64) (float64, error) {
	all, err := s.trace.until(stepTimeout, func(all []stamp) bool { return count(all, stampRead) > 0 })
	if err != nil {
		return 0, fmt.Errorf("%w: %d bytes did not arrive", err, want)
	}
	begin, ok := find(all, 0, stampBegin, 0)
	if !ok {
		return 0, fmt.Errorf("bytes arrived without a stamp of the writer")
	}
	arrived, _ := find(all, 0, stampRead, 0)
	return float64(bytes) / 1e6 / time.Duration(arrived.ns-begin.ns).Seconds(), nil
}

// spawn starts one program of a pipeline. A nil stdin or stdout is /dev/null.
func (b *bench) spawn(s *sandbox, stdin, stdout *os.File, argv ...string) (int, error) {
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
		Dir:   s.root,
		Env:   environment,
		Files: []uintptr{stdin.Fd(), stdout.Fd(), s.stderr.Fd()},
		Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
}

// end kills a program of a pipeline, if it still runs, and reaps it.
func end(pid int) {
	syscall.Kill(pid, syscall.SIGKILL)
	wait(pid, stepTimeout)
}
