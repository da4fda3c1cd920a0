package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// A section is one measurement's part of the table.
type section struct {
	title   string
	columns []string // names of the contenders, svinit first
	rows    []row
	notes   []string
	spread  []string // quartiles, for -v
}

// A row is one quantity, measured on the contender of each column.
type row struct {
	what     string
	cells    []string
	ratio    string // svinit divided by the best peer
	oldRatio string // svinit divided by the old binary
	worse    string // worse or maybeWorse, or "" where svinit is not worse than the old binary
	goal     string // target as text
	mark     string // pass or miss, or "" where there is no target or no svinit
}

const (
	pass = "pass"
	miss = "MISS"

	worse      = "WORSE"
	maybeWorse = "worse?" // the quartiles overlap, so it can be noise
)

// tolerance is how much worse than the old binary svinit may be.
const tolerance = 0.03

// newSection makes an empty section.
func newSection(title string, columns []string) *section {
	return &section{title: title, columns: columns}
}

func (s *section) note(format string, a ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, a...))
}

// count returns the number of rows for which is returns true.
func (s *section) count(is func(row) bool) (n int) {
	for _, r := range s.rows {
		if is(r) {
			n++
		}
	}
	return n
}

func passOrMiss(ok bool) string {
	if ok {
		return pass
	}
	return miss
}

// row adds a row with the medians of all columns in the printf format form. It
// compares svinit with the best peer and with the old binary; largest says that
// the largest number is the best.
func (s *section) row(what, form string, res *results, largest bool) *row {
	r := row{what: what}
	for _, c := range s.columns {
		cell := "-"
		if m, ok := res.median(c); ok {
			cell = fmt.Sprintf(form, m)
		}
		if res.failed(c) {
			cell = res.failures[c]
			if len(cell) > 12 {
				s.note("%s, %s: %s", what, c, cell)
				cell = "failed"
			}
		}
		r.cells = append(r.cells, cell)
		if v := res.samples[c]; len(v) > 1 {
			s.spread = append(s.spread, fmt.Sprintf("%s, %s: n %d, quartiles "+form+" "+form+", least "+form,
				what, c, len(v), v.quantile(0.25), v.quantile(0.75), v.quantile(0)))
		}
	}
	if ours, ok := res.median(current); ok {
		if peer, best := res.best(largest); peer != "" && best > 0 {
			r.ratio = fmt.Sprintf("%.2f", ours/best)
		}
	}
	r.compareOld(res, largest)
	s.rows = append(s.rows, r)
	return &s.rows[len(s.rows)-1]
}

// compareOld sets the ratio of svinit to the old binary, and marks svinit if it
// is worse by more than tolerance.
func (r *row) compareOld(res *results, largest bool) {
	ours, ok := res.median(current)
	before, okOld := res.median(previous)
	if !ok || !okOld {
		if res.failed(current) && okOld {
			r.worse = worse
		}
		return
	}
	loss := ours / before
	switch {
	case ours == before:
		loss = 1
	case largest:
		loss = before / ours
	}
	if !math.IsInf(ours/before, 0) && before != 0 {
		r.oldRatio = fmt.Sprintf("%.3f", ours/before)
	}
	switch {
	case loss <= 1+tolerance:
	case res.apart(current, previous):
		r.worse = worse
	default:
		r.worse = maybeWorse
	}
}

// target sets the target of the row, and marks it by ok, which compares the
// median of svinit with that of the best peer. With alone, the target does not
// depend on a peer.
func (r *row) target(res *results, largest, alone bool, text string, ok func(ours, best float64) bool) {
	r.goal = text
	ours, have := res.median(current)
	peer, best := res.best(largest)
	switch {
	case res.failed(current):
		r.mark = miss
	case have && (alone || peer != ""):
		r.mark = passOrMiss(ok(ours, best))
	}
}

// lines returns the cells of the section, with a line of headings.
func (s *section) lines() [][]string {
	comparison := slices.Contains(s.columns, previous)
	old := func(cells ...string) []string {
		if comparison {
			return cells
		}
		return nil
	}
	lines := [][]string{slices.Concat([]string{""}, s.columns, []string{"ratio"}, old("new/old", ""), []string{"target", ""})}
	for _, r := range s.rows {
		lines = append(lines, slices.Concat([]string{r.what}, r.cells, []string{r.ratio}, old(r.oldRatio, r.worse), []string{r.goal, r.mark}))
	}
	return lines
}

func (s *section) print(out io.Writer, verbose bool) {
	if len(s.columns) == 0 || len(s.rows) == 0 {
		fmt.Fprintf(out, "\n%s\n    no contender to measure\n", s.title)
		return
	}
	lines := s.lines()
	width := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, cell := range l {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	fmt.Fprintf(out, "\n%s\n", s.title)
	for _, l := range lines {
		var text strings.Builder
		for i, cell := range l {
			pad := strings.Repeat(" ", width[i]-len([]rune(cell)))
			if i == 0 || i >= len(l)-2 { // words to the left, numbers to the right
				text.WriteString("  " + cell + pad)
			} else {
				text.WriteString("  " + pad + cell)
			}
		}
		fmt.Fprintln(out, strings.TrimRight(text.String(), " "))
	}
	for _, n := range s.notes {
		fmt.Fprintln(out, "    "+n)
	}
	if verbose {
		for _, n := range s.spread {
			fmt.Fprintln(out, "    . "+n)
		}
	}
}
