package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A keeper writes lines to a directory of rotated files.
type keeper struct {
	name string
	peer bool
	argv func(b *bench) []string
}

var keepers = []keeper{
	{"svinit", false, func(b *bench) []string { return []string{b.svinit, "multilog", "t", "s1000000", "n10", "./main"} }},
	{"daemontools", true, func(*bench) []string { return []string{"multilog", "t", "s1000000", "n10", "./main"} }},
	// Its size and number are such by default.
	{"svlogd", true, func(*bench) []string { return []string{"svlogd", "-t", "./main"} }},
	{"s6-log", true, func(*bench) []string { return []string{"s6-log", "t", "s1000000", "n10", "./main"} }},
}

// measureMultilog: how fast 100-byte lines get, stamped, into rotated files.
func measureMultilog(b *bench) *section {
	s := &section{title: "multilog: 100-byte lines, stamped, into files of 1 MB, MB/s of what comes in"}
	var here []keeper
	for _, k := range keepers {
		if k.name == "svinit" && b.svinit == "" || k.peer && !installed(k.argv(b)[0]) {
			continue
		}
		here = append(here, k)
		s.columns = append(s.columns, k.name)
	}
	for _, how := range []struct {
		name  string
		chunk int
		mb    int
	}{{"a line a write", 100, 50}, {"64 KiB a write", 65536, 400}} {
		t := newTally()
		if b.quick {
			how.mb /= 4
		}
		for range b.times(5, 2) {
			for _, k := range here {
				if t.failed(k.name) {
					continue
				}
				mb := how.mb
				if k.peer && how.chunk > 100 {
					mb /= 4
				}
				rate, err := b.multilogOnce(k, int64(mb)*1_000_000, how.chunk)
				if err != nil {
					t.fail(k.name, err.Error())
					continue
				}
				t.add(k.name, k.peer, rate)
			}
		}
		r := s.row(how.name, "%.0f", t, true)
		if how.chunk == 100 { // the writer's own speed is the limit here
			r.judge(t, true, false, "above all", func(ours, best float64) bool { return ours > best })
			continue
		}
		r.judge(t, true, false, "3 x daemontools, 480, above all", func(ours, best float64) bool {
			theirs, _ := t.median("daemontools")
			return ours >= 3*theirs && ours > best && ours > 480
		})
	}
	s.note("480 MB/s is what supervisord reached, which writes raw and cuts within lines.")
	return s
}

func (b *bench) multilogOnce(k keeper, bytes int64, chunk int) (float64, error) {
	w, err := b.world(plan{})
	if err != nil {
		return 0, err
	}
	defer w.close()
	if err := os.Mkdir(filepath.Join(w.root, "main"), 0o755); err != nil {
		return 0, err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer out.Close()
	defer in.Close()
	logger, err := b.spawn(w, out, nil, k.argv(b)...)
	if err != nil {
		return 0, err
	}
	defer end(logger)
	begin := time.Now()
	writer, err := b.spawn(w, nil, in, b.tool("chatty"), w.trace.file.Name(), fmt.Sprint(bytes), fmt.Sprint(chunk))
	if err != nil {
		return 0, err
	}
	defer end(writer)
	in.Close()
	// The end of its input ends the logger, once all is written.
	if _, err := wait(logger, patience); err != nil {
		return 0, err
	}
	return float64(bytes) / 1e6 / time.Since(begin).Seconds(), nil
}
