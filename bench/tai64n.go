package main

import "fmt"

// labelTarget is how many times as fast as daemontools' filters svinit's are to be.
const labelTarget = 5

// measureTai64n: the rate at which tai64n and tai64nlocal pass 100-byte lines,
// between a writer and a reader that do nothing else.
func measureTai64n(b *bench) *section {
	s := newSection("tai64n: 100-byte lines through a filter between two pipes, MB/s of the input", append(titles(b.present(svinit, old)), daemontools.name, "cat"))
	if b.svinit == nil || !installed("tai64n", "tai64nlocal") {
		s.columns = nil
		return s
	}
	for _, row := range []struct {
		tool   string
		writer string
		grow   int64
		chunk  int
		name   string
	}{
		{"tai64n", "writer", 26, 65536, "64 KiB a write"},
		{"tai64n", "writer", 26, 100, "a line a write"},
		{"tai64nlocal", "labelled", 29 - 25, 65536, "64 KiB a write"},
		{"tai64nlocal", "labelled", 29 - 25, 100, "a line a write"},
	} {
		mb := 400
		if row.chunk < 65536 {
			mb = 100
		}
		if b.quick {
			mb /= 4
		}
		var all []filter
		for _, c := range b.present(svinit, old) {
			all = append(all, filter{name: c.name, mb: mb, grow: row.grow, argv: []string{c.build(b).path, row.tool}})
		}
		all = append(all,
			filter{name: daemontools.name, peer: true, mb: mb / 4, grow: row.grow, argv: []string{row.tool}},
			filter{name: "cat", mb: mb, argv: []string{"cat"}})
		res := b.rates(all, func(f filter) (float64, error) { return b.filterOnce(f, row.writer, row.chunk) })
		r := s.row(row.tool+", "+row.name, "%.0f", res, true)
		if row.chunk < 65536 {
			r.targetCat(res)
			continue
		}
		r.target(res, true, false, fmt.Sprintf("%d x daemontools", labelTarget), func(ours, best float64) bool { return ours >= labelTarget*best })
	}
	s.note("cat changes nothing: its rate is that of three processes and two pipes on this machine.")
	s.note("With a line a write, the writer is the slowest process, so that cat has the highest possible rate.")
	return s
}
