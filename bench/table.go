package main

import (
	"fmt"
	"io"
	"strings"
)

// A section is one measurement's part of the table.
type section struct {
	title   string
	columns []string // svinit first
	rows    []row
	notes   []string
	spread  []string // quartiles, for -v
}

// A row is one thing measured on every column's contender.
type row struct {
	what   string
	cells  []string
	ratio  string // svinit over the best peer
	target string
	mark   string // pass, MISS, or "" where there is no target or no svinit
}

func (s *section) note(format string, a ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, a...))
}

func (s *section) missed() (n int) {
	for _, r := range s.rows {
		if r.mark == miss {
			n++
		}
	}
	return n
}

const (
	pass = "pass"
	miss = "MISS"
)

func verdict(ok bool) string {
	if ok {
		return pass
	}
	return miss
}

// row makes a row of a tally: a cell per column in %-format form, scaled by
// unit, with the ratio of svinit to the best peer.
func (s *section) row(what, form string, t *tally, largest bool) *row {
	r := row{what: what}
	for _, c := range s.columns {
		cell := "-"
		if m, ok := t.median(c); ok {
			cell = fmt.Sprintf(form, m)
		}
		if t.failed(c) {
			cell = t.trouble[c]
			if len(cell) > 12 {
				s.note("%s, %s: %s", what, c, cell)
				cell = "failed"
			}
		}
		r.cells = append(r.cells, cell)
		if v := t.samples[c]; len(v) > 1 {
			s.spread = append(s.spread, fmt.Sprintf("%s, %s: n %d, quartiles "+form+" "+form+", least "+form,
				what, c, len(v), v.quantile(0.25), v.quantile(0.75), v.quantile(0)))
		}
	}
	if ours, ok := t.median("svinit"); ok {
		if who, best := t.best(largest); who != "" && best > 0 {
			r.ratio = fmt.Sprintf("%.2f", ours/best)
		}
	}
	s.rows = append(s.rows, r)
	return &s.rows[len(s.rows)-1]
}

// judge marks the row by a test of our median against the best peer's, where
// there are both (or ours alone, when alone is true).
func (r *row) judge(t *tally, largest, alone bool, target string, ok func(ours, best float64) bool) {
	r.target = target
	ours, have := t.median("svinit")
	who, best := t.best(largest)
	switch {
	case t.failed("svinit"):
		r.mark = miss
	case have && (alone || who != ""):
		r.mark = verdict(ok(ours, best))
	}
}

func (s *section) print(out io.Writer, verbose bool) {
	if len(s.columns) == 0 || len(s.rows) == 0 {
		fmt.Fprintf(out, "\n%s\n    nobody to measure\n", s.title)
		return
	}
	head := append(append([]string{""}, s.columns...), "ratio", "target", "")
	lines := [][]string{head}
	for _, r := range s.rows {
		lines = append(lines, append(append([]string{r.what}, r.cells...), r.ratio, r.target, r.mark))
	}
	width := make([]int, len(head))
	for _, l := range lines {
		for i, cell := range l {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	fmt.Fprintf(out, "\n%s\n", s.title)
	for _, l := range lines {
		var b strings.Builder
		for i, cell := range l {
			pad := strings.Repeat(" ", width[i]-len([]rune(cell)))
			switch {
			case i == 0 || i >= len(l)-2: // words to the left, numbers to the right
				b.WriteString("  " + cell + pad)
			default:
				b.WriteString("  " + pad + cell)
			}
		}
		fmt.Fprintln(out, strings.TrimRight(b.String(), " "))
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

// titles are the columns of a section: who is there to be measured.
func titles(all []contender) (names []string) {
	for _, c := range all {
		names = append(names, c.name)
	}
	return names
}
