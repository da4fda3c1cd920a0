package main

import (
	"fmt"
	"os"
)

// label is the prefix that svinit adds to the lines of the service s0000.
const label = "s0000: "

// logFilters returns the contenders of measureLog. s6-log is the only logger here
// that can label lines and write to its stdout: svlogd and multilog write to
// directories, supervisord does not label lines. The slow peers get fewer bytes.
func (b *bench) logFilters(mb int) (all []filter) {
	for _, c := range b.present(svinit, old) {
		all = append(all, filter{name: c.name, mb: mb, grow: int64(len(label)), pid1: c})
	}
	all = append(all, filter{name: "cat", mb: mb, argv: []string{"cat"}})
	if installed("s6-log") {
		all = append(all, filter{name: "s6-log", peer: true, mb: mb / 4, grow: int64(len(label)), argv: []string{"s6-log", "ps0000:", "1"}})
	}
	return append(all, filter{name: "sed", peer: true, mb: mb / 4, grow: int64(len(label)), argv: []string{"sed", "s/^/" + label + "/"}})
}

// measureLog: the rate at which the lines of one service get through svinit, which
// labels them, to a reader that only counts. cat in the same pipeline is the
// comparison.
func measureLog(b *bench) *section {
	s := newSection("log: 100-byte lines of one service through a pipe to stdout, MB/s of the service's bytes", filterTitles(b.logFilters(0)))
	for _, row := range []struct {
		name  string
		chunk int
		mb    int
	}{
		{"a line a write", 100, 200}, {"64 KiB a write", 65536, 600},
	} {
		if b.quick {
			row.mb /= 4
		}
		res := b.rates(b.logFilters(row.mb), func(f filter) (float64, error) {
			if f.argv != nil {
				return b.filterOnce(f, "writer", row.chunk)
			}
			return b.logOnce(f, row.chunk)
		})
		s.row(row.name, "%.0f", res, true).targetCat(res)
	}
	s.note("s6-log and sed represent the peers that label lines; cat does not label. The ratio is to the faster of the two.")
	return s
}

func filterTitles(all []filter) (names []string) {
	for _, f := range all {
		names = append(names, f.name)
	}
	return names
}

// rates measures all filters in turn by once.
func (b *bench) rates(all []filter, once func(filter) (float64, error)) *results {
	res := newResults()
	for round := range b.times(5, 2) {
		for _, f := range inTurn(all, round) {
			if res.failed(f.name) {
				continue
			}
			rate, err := once(f)
			if err != nil {
				res.fail(f.name, err.Error())
				continue
			}
			res.add(f.name, f.peer, rate)
		}
	}
	return res
}

// targetCat marks the row by the ratio of svinit's median to that of cat.
func (r *row) targetCat(res *results) {
	r.goal = "0.8 of cat"
	if ours, ok := res.median(current); ok {
		if cat, ok := res.median("cat"); ok {
			r.goal = fmt.Sprintf("0.8 of cat (is %.2f)", ours/cat)
			r.mark = passOrMiss(ours >= 0.8*cat)
		}
	} else if res.failed(current) {
		r.mark = miss
	}
}

// logOnce measures svinit as PID 1 with the writer as its service.
func (b *bench) logOnce(f filter, chunk int) (float64, error) {
	bytes := int64(f.mb) * 1_000_000
	s, err := b.sandbox(layout{services: 1, run: "writer", cfg: fmt.Sprintf("%d %d\n", bytes, chunk)})
	if err != nil {
		return 0, err
	}
	defer s.close()
	out, in, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer out.Close()
	defer in.Close()
	want := bytes + bytes/100*f.grow
	reader, err := b.spawn(s, out, nil, b.helper("sink"), s.trace.file.Name(), fmt.Sprint(want))
	if err != nil {
		return 0, err
	}
	defer end(reader)
	if err := s.boot(f.pid1.argv(s), in); err != nil {
		return 0, err
	}
	in.Close()
	return s.rate(bytes, want)
}
