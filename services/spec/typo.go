package spec

import "strings"

// isMistyped reports whether a name was probably meant to be known. Only names
// that an application hardly gives to its own files are compared: those of
// several parts, as timeout-kill, long ones, finish and down.
func isMistyped(name, known string) bool {
	if !strings.ContainsAny(known, "-.") {
		// finish1 or finish.bak is a file that was put aside on purpose.
		return (known == "finish" || known == "down" || len(known) >= 9) && !strings.ContainsAny(name, "-_.") && edits(strings.ToLower(name), known, 1) <= 1
	}
	name = strings.ToLower(name)
	if strings.Map(withoutSeparators, name) == strings.Map(withoutSeparators, known) {
		return true // timeout_kill, timeoutkill
	}
	return partsMistyped(name, known)
}

// maxEdits is how many mistakes a name may have as a whole.
const maxEdits = 2

// partsMistyped compares two names part by part: the shorter a part, the fewer
// mistakes it may have. A part that is cut short (time-kill) is one mistake.
func partsMistyped(name, known string) bool {
	total := 0
	for known != "" {
		var want, got string
		want, known = cutPart(known)
		got, name = cutPart(name)
		n := edits(got, want, maxEdits)
		if len(got) >= 3 && strings.HasPrefix(want, got) {
			n = min(n, 1)
		} else if n > len(want)/3 {
			return false
		}
		total += n
	}
	return name == "" && total <= maxEdits
}

// cutPart returns the first part of a name, and the others.
func cutPart(name string) (first, rest string) {
	if i := strings.IndexAny(name, "-_."); i >= 0 {
		return name[:i], name[i+1:]
	}
	return name, ""
}

func withoutSeparators(r rune) rune {
	if strings.ContainsRune("-_.", r) {
		return -1
	}
	return r
}

// edits returns how many letters have to be inserted, removed, replaced or
// swapped with the next one to make b of a (the optimal string alignment
// distance), or more than limit if it is more than that.
func edits(a, b string, limit int) int {
	const most = 24 // see mayMean
	if len(a)-len(b) > limit || len(b)-len(a) > limit || len(a) > most || len(b) > most {
		return limit + 1
	}
	var rows [3][most + 1]int // the last three of the matrix
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, above := &rows[i%3], &rows[(i+2)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := above[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(replaced, above[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], rows[(i+1)%3][j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
