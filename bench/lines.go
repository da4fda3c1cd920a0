package main

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"time"
)

// talkers is how many services write at once in measureLines.
const talkers = 10

// measureLines: ten services write numbered, checksummed lines at once; every
// one must come out of svinit's stdout whole, named, in order. No peer here
// names lines on stdout, so there is nobody beside it.
func measureLines(b *bench) *section {
	lines := 100000
	if b.quick {
		lines = 10000
	}
	s := &section{title: fmt.Sprintf("lines: %d services at once, %d lines of 0 bytes to 30 KB each", talkers, lines), columns: []string{"svinit"}}
	if b.svinit == "" {
		return s
	}
	t, rate := newTally(), newTally()
	for range b.times(1, 1) {
		took, size, err := b.linesOnce(lines)
		if err != nil {
			t.fail("svinit", "FAILED")
			s.note("LOG LINES BROKEN: %v", err)
			break
		}
		t.add("svinit", false, float64(talkers*lines))
		rate.add("svinit", false, float64(size)/1e6/took.Seconds())
	}
	s.row("whole, named, in order", "%.0f", t, true).
		judge(t, true, true, "no line lost, torn or mixed", func(ours, _ float64) bool { return ours == float64(talkers*lines) })
	s.row("MB/s, checked as they come", "%.0f", rate, true)
	return s
}

func (b *bench) linesOnce(lines int) (time.Duration, int64, error) {
	w, err := b.world(plan{services: talkers, run: "numbered", cfg: fmt.Sprintf("%d\n", lines)})
	if err != nil {
		return 0, 0, err
	}
	defer w.close()
	out, in, err := os.Pipe()
	if err != nil {
		return 0, 0, err
	}
	defer out.Close()
	begin := now()
	err = w.boot(svinit.argv(w), in)
	in.Close()
	if err != nil {
		return 0, 0, err
	}
	if err := out.SetReadDeadline(time.Now().Add(2 * patience)); err != nil {
		return 0, 0, err
	}
	size, err := checkLines(out, lines)
	return time.Duration(now() - begin), size, err
}

// checkLines reads "NAME: SEQ LENGTH CRC PAYLOAD" lines until every talker has
// said its last, and fails on the first that is not what it should be.
func checkLines(from io.Reader, lines int) (size int64, err error) {
	next := [talkers]int{}
	in := bufio.NewReaderSize(from, 1<<20)
	for left := talkers * lines; left > 0; left-- {
		line, err := in.ReadSlice('\n')
		size += int64(len(line))
		if err != nil {
			return size, fmt.Errorf("%d lines still to come: %w", left, err)
		}
		bad := func(how string) (int64, error) {
			return size, fmt.Errorf("%s: %.120q", how, line)
		}
		text, fields := line[:len(line)-1], [4][]byte{}
		for i := range fields {
			var ok bool
			if fields[i], text, ok = bytes.Cut(text, []byte(" ")); !ok {
				return bad("torn line")
			}
		}
		who, err := strconv.Atoi(string(bytes.TrimSuffix(bytes.TrimPrefix(fields[0], []byte("s")), []byte(":"))))
		if err != nil || who < 0 || who >= talkers || string(fields[0]) != name(who)+":" {
			return bad("line without its service's name")
		}
		seq, err := strconv.Atoi(string(fields[1]))
		if err != nil || seq != next[who] {
			return bad(fmt.Sprintf("line %d of %s expected", next[who], name(who)))
		}
		next[who]++
		if length, err := strconv.Atoi(string(fields[2])); err != nil || length != len(text) {
			return bad("torn or mixed line")
		}
		if sum, err := strconv.ParseUint(string(fields[3]), 16, 32); err != nil || uint32(sum) != crc32.ChecksumIEEE(text) {
			return bad("mixed line")
		}
	}
	return size, nil
}
