package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// multilogFilters returns the loggers that write lines to a directory of rotated
// files. 1 MB and 10 files are the defaults of svlogd. The slow peers get fewer
// bytes.
func (b *bench) multilogFilters(mb, peerMB int) (all []filter) {
	multilog := []string{"multilog", "t", "s1000000", "n10", "./main"}
	for _, c := range b.present(svinit, old) {
		all = append(all, filter{name: c.name, mb: mb, argv: append([]string{c.build(b).path}, multilog...)})
	}
	for _, f := range []filter{
		{name: daemontools.name, argv: multilog},
		{name: "svlogd", argv: []string{"svlogd", "-t", "./main"}},
		{name: "s6-log", argv: []string{"s6-log", "t", "s1000000", "n10", "./main"}},
	} {
		if installed(f.argv[0]) {
			f.peer, f.mb = true, peerMB
			all = append(all, f)
		}
	}
	return all
}

// measureMultilog: the rate at which 100-byte lines are labelled and written to
// rotated files.
func measureMultilog(b *bench) *section {
	s := newSection("multilog: 100-byte lines, with timestamps, into files of 1 MB, MB/s of the input", filterTitles(b.multilogFilters(0, 0)))
	for _, row := range []struct {
		name       string
		chunk      int
		mb, peerMB int
	}{{"a line a write", 100, 50, 50}, {"64 KiB a write", 65536, 400, 100}} {
		if b.quick {
			row.mb, row.peerMB = row.mb/4, row.peerMB/4
		}
		res := b.rates(b.multilogFilters(row.mb, row.peerMB), func(f filter) (float64, error) { return b.multilogOnce(f, row.chunk) })
		r := s.row(row.name, "%.0f", res, true)
		if row.chunk == 100 { // the writer is the slowest process
			r.target(res, true, false, "best peer", func(ours, best float64) bool { return ours > best })
			continue
		}
		r.target(res, true, false, "best peer, 3 x daemontools, 480", func(ours, best float64) bool {
			theirs, _ := res.median(daemontools.name)
			return ours >= 3*theirs && ours > best && ours > 480
		})
	}
	s.note("480 MB/s is the rate of supervisord, which writes its input unchanged and rotates within lines.")
	return s
}

func (b *bench) multilogOnce(f filter, chunk int) (float64, error) {
	s, err := b.sandbox(layout{})
	if err != nil {
		return 0, err
	}
	defer s.close()
	if err := os.Mkdir(filepath.Join(s.root, "main"), 0o755); err != nil {
		return 0, err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer out.Close()
	defer in.Close()
	logger, err := b.spawn(s, out, nil, f.argv...)
	if err != nil {
		return 0, err
	}
	defer end(logger)
	bytes := int64(f.mb) * 1_000_000
	begin := time.Now()
	writer, err := b.spawn(s, nil, in, b.helper("writer"), s.trace.file.Name(), fmt.Sprint(bytes), fmt.Sprint(chunk))
	if err != nil {
		return 0, err
	}
	defer end(writer)
	in.Close()
	// The logger exits at the end of its input, after it has written everything.
	if _, err := wait(logger, stepTimeout); err != nil {
		return 0, err
	}
	return float64(bytes) / 1e6 / time.Since(begin).Seconds(), nil
}
