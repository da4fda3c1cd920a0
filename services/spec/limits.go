package spec

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Limit is a soft resource limit.
type Limit struct {
	Name     string // as the file has it
	Line     int    // in which it has it
	Resource int    // RLIMIT_... of getrlimit(2)
	Value    uint64 // NoLimit for as much as the hard limit allows
}

// NoLimit is the value of a limit that is the hard limit.
const NoLimit uint64 = unix.RLIM_INFINITY

// limitWord is a word of the file limits: one of softlimit(8).
type limitWord struct {
	word      string
	resources []int
}

// limitWords has the words as softlimit has them, with a hyphen between words.
var limitWords = []limitWord{
	{"all-bytes", []int{unix.RLIMIT_AS}},
	{"core-bytes", []int{unix.RLIMIT_CORE}},
	{"data-bytes", []int{unix.RLIMIT_DATA}},
	{"file-bytes", []int{unix.RLIMIT_FSIZE}},
	{"lock-bytes", []int{unix.RLIMIT_MEMLOCK}},
	{"mem-bytes", []int{unix.RLIMIT_DATA, unix.RLIMIT_STACK, unix.RLIMIT_MEMLOCK, unix.RLIMIT_AS}},
	{"open-files", []int{unix.RLIMIT_NOFILE}},
	{"processes", []int{unix.RLIMIT_NPROC}},
	{"resident-bytes", []int{unix.RLIMIT_RSS}},
	{"stack-bytes", []int{unix.RLIMIT_STACK}},
	{"cpu-secs", []int{unix.RLIMIT_CPU}},
}

// limitExample is a right line of the file limits.
const limitExample = `"open-files 4096"`

// readLimits reads the file limits: a word and a number in each line, or = for the
// hard limit. Empty lines and those that begin with # have no meaning.
func (r *execReader) readLimits(name string) {
	text, err := ReadFile(r.path + "/" + name)
	if err != nil {
		r.unreadable(name, false, err)
		return
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if n++; n > maxLimitLines {
			r.wrong(name, n, false, "it has more than %d lines: the rest has no effect", maxLimitLines)
			return
		}
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		resources := findLimit(fields[0])
		switch {
		case resources == nil:
			r.wrong(name, n, false, "%s is not one of %s: write a line such as %s", quote(fields[0]), allLimits(), limitExample)
			continue
		case len(fields) != 2:
			r.wrong(name, n, false, "a line has a word and a number: write one such as %s", limitExample)
			continue
		}
		value := NoLimit
		if fields[1] != "=" {
			if value, err = strconv.ParseUint(fields[1], 10, 64); err != nil || value == NoLimit {
				r.wrong(name, n, false, "%s is neither a number nor =, the hard limit: write a line such as %s", quote(fields[1]), limitExample)
				continue
			}
		}
		for _, resource := range resources {
			r.setLimit(Limit{fields[0], n, resource, value})
		}
	}
}

// maxLimitLines bounds how many problems there can be.
const maxLimitLines = 100

// setLimit sets a limit. The last line for a resource counts, as in softlimit.
func (r *execReader) setLimit(limit Limit) {
	for i := range r.Limits {
		if r.Limits[i].Resource == limit.Resource {
			r.Limits[i] = limit
			return
		}
	}
	r.Limits = append(r.Limits, limit)
}

// findLimit returns the resources of a word, with or without its hyphen, nil if
// there is no such word.
func findLimit(word string) []int {
	for _, l := range limitWords {
		if l.word == word || strings.ReplaceAll(l.word, "-", "") == word {
			return l.resources
		}
	}
	return nil
}

func allLimits() string {
	var all []string
	for _, l := range limitWords {
		all = append(all, l.word)
	}
	return strings.Join(all, ", ")
}
