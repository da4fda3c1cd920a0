package main

import (
	"fmt"
	"os"
)

// stampTarget is how much faster than daemontools' the stamps are to be.
const stampTarget = 5

// measureTai64n: how fast tai64n and tai64nlocal get 100-byte lines through,
// beside daemontools', between a writer and a reader that do nothing else.
func measureTai64n(b *bench) *section {
	s := &section{title: "tai64n: 100-byte lines through a filter between two pipes, MB/s of what comes in", columns: []string{"svinit", "daemontools", "cat"}}
	if b.svinit == "" || !installed("tai64n", "tai64nlocal") {
		s.columns = nil
		return s
	}
	for _, how := range []struct {
		tool   string
		writer string
		grown  int64 // bytes that a line is longer afterwards
		chunk  int
		how    string
	}{
		{"tai64n", "chatty", 26, 65536, "64 KiB a write"},
		{"tai64n", "chatty", 26, 100, "a line a write"},
		{"tai64nlocal", "stamped", 29 - 25, 65536, "64 KiB a write"},
		{"tai64nlocal", "stamped", 29 - 25, 100, "a line a write"},
	} {
		mb := int64(400)
		if how.chunk < 65536 {
			mb = 100
		}
		if b.quick {
			mb /= 4
		}
		t := newTally()
		for range b.times(5, 2) {
			for _, c := range []struct {
				name  string
				peer  bool
				mb    int64
				grown int64
				argv  []string
			}{
				{"svinit", false, mb, how.grown, []string{b.svinit, how.tool}},
				{"daemontools", true, mb / 4, how.grown, []string{how.tool}},
				{"cat", false, mb, 0, []string{"cat"}},
			} {
				if t.failed(c.name) {
					continue
				}
				rate, err := b.filterOnce(how.writer, c.mb*1_000_000, how.chunk, c.grown, c.argv)
				if err != nil {
					t.fail(c.name, err.Error())
					continue
				}
				t.add(c.name, c.peer, rate)
			}
		}
		r := s.row(how.tool+", "+how.how, "%.0f", t, true)
		if how.chunk < 65536 {
			r.judgeCat(t)
			continue
		}
		r.judge(t, true, false, fmt.Sprintf("%d of daemontools", stampTarget), func(ours, best float64) bool { return ours >= stampTarget*best })
	}
	s.note("cat changes nothing: it is what three processes and two pipes take on this machine.")
	s.note("With a line a write the writer is the slowest of the three, whatever reads it: cat is the most there can be.")
	return s
}

// filterOnce measures one filter: from the first write into it until the reader
// behind it has all, each line being grown bytes longer.
func (b *bench) filterOnce(from string, bytes int64, chunk int, grown int64, argv []string) (float64, error) {
	w, err := b.world(plan{services: 0})
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
	want := bytes + bytes/100*grown
	reader, err := b.spawn(w, out, nil, b.tool("swallow"), w.trace.file.Name(), fmt.Sprint(want))
	if err != nil {
		return 0, err
	}
	defer end(reader)
	stop, err := b.pipeline(w, in, argv, b.tool(from), w.trace.file.Name(), fmt.Sprint(bytes), fmt.Sprint(chunk))
	defer stop()
	if err != nil {
		return 0, err
	}
	in.Close()
	return w.rate(bytes, want)
}
