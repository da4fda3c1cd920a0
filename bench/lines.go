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

// writers is the number of services that write at the same time in measureLines.
const writers = 10

// measureLines: ten services write numbered lines with checksums at the same time.
// Each line must arrive at svinit's stdout whole, labelled and in order. None of
// the peers labels lines on stdout, so svinit is measured alone.
func measureLines(b *bench) *section {
	lines := 100000
	if b.quick {
		lines = 10000
	}
	all := b.present(svinit, old)
	s := newSection(fmt.Sprintf("lines: %d services at once, %d lines of 0 bytes to 30 KB each", writers, lines), titles(all))
	if len(all) == 0 {
		return s
	}
	whole, rate := newResults(), newResults()
	for round := range b.times(1, 1) {
		for _, c := range inTurn(all, round) {
			took, size, err := b.linesOnce(c, lines)
			if err != nil {
				whole.fail(c.name, "FAILED")
				s.note("LOG LINES BROKEN, %s: %v", c.name, err)
				continue
			}
			whole.add(c.name, false, float64(writers*lines))
			rate.add(c.name, false, float64(size)/1e6/took.Seconds())
		}
	}
	s.row("whole, labelled, in order", "%.0f", whole, true).
		target(whole, true, true, "no line lost, torn or mixed", func(ours, _ float64) bool { return ours == float64(writers*lines) })
	s.row("MB/s, with the check of each line", "%.0f", rate, true)
	return s
}

func (b *bench) linesOnce(c contender, lines int) (took time.Duration, size int64, err error) {
	s, err := b.sandbox(layout{services: writers, run: "numbered", cfg: fmt.Sprintf("%d\n", lines)})
	if err != nil {
		return 0, 0, err
	}
	defer s.close()
	out, in, err := os.Pipe()
	if err != nil {
		return 0, 0, err
	}
	defer out.Close()
	begin := now()
	err = s.boot(c.argv(s), in)
	in.Close()
	if err != nil {
		return 0, 0, err
	}
	if err := out.SetReadDeadline(time.Now().Add(2 * stepTimeout)); err != nil {
		return 0, 0, err
	}
	size, err = checkLines(out, lines)
	return time.Duration(now() - begin), size, err
}

// checkLines reads lines "NAME: SEQ LENGTH CRC PAYLOAD" until it has the last one of
// each writer. It fails at the first wrong line.
func checkLines(from io.Reader, lines int) (size int64, err error) {
	next := [writers]int{}
	in := bufio.NewReaderSize(from, 1<<20)
	for left := writers * lines; left > 0; left-- {
		line, err := in.ReadSlice('\n')
		size += int64(len(line))
		if err != nil {
			return size, fmt.Errorf("%d lines missing: %w", left, err)
		}
		bad := func(reason string) (int64, error) {
			return size, fmt.Errorf("%s: %.120q", reason, line)
		}
		text, fields := line[:len(line)-1], [4][]byte{}
		for i := range fields {
			var ok bool
			if fields[i], text, ok = bytes.Cut(text, []byte(" ")); !ok {
				return bad("torn line")
			}
		}
		i, err := strconv.Atoi(string(bytes.TrimSuffix(bytes.TrimPrefix(fields[0], []byte("s")), []byte(":"))))
		if err != nil || i < 0 || i >= writers || string(fields[0]) != name(i)+":" {
			return bad("line without the name of its service")
		}
		seq, err := strconv.Atoi(string(fields[1]))
		if err != nil || seq != next[i] {
			return bad(fmt.Sprintf("line %d of %s expected", next[i], name(i)))
		}
		next[i]++
		if length, err := strconv.Atoi(string(fields[2])); err != nil || length != len(text) {
			return bad("torn or mixed line")
		}
		if sum, err := strconv.ParseUint(string(fields[3]), 16, 32); err != nil || uint32(sum) != crc32.ChecksumIEEE(text) {
			return bad("mixed line")
		}
	}
	return size, nil
}
