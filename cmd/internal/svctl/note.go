package svctl

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"svinit/cmd/internal/applet"
	"svinit/services/svdir"
)

// note writes "TOOL: note: TEXT" to standard error: what daemontools and runit, whose
// messages stay as they are, do not say.
func note(e *applet.Env, text string) { e.Log("note: " + text) }

// explainer adds notes to errors.
type explainer struct {
	e      *applet.Env
	denied bool // it has said who may command a service: others are mostly alike
}

// explain adds a note to an error that concerns the argument arg: similar names, if there
// is no such service, or who may command it, if we may not.
func (x *explainer) explain(arg string, err error) {
	e := x.e
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist):
		if _, err := findDir(e, arg); err == nil {
			return
		}
		if names := nearest(e, arg); len(names) > 0 {
			note(e, "there is no service "+arg+" in "+scanDir(e)+", but "+strings.Join(names, ", "))
		}
	case errors.Is(err, syscall.EACCES) && !x.denied:
		x.denied = true
		dir, _ := findDir(e, arg)
		if who := owners(dir, e); who != "" {
			note(e, "only "+who+" may do that with "+arg)
		}
	}
}

// owners says who may command the service in dir, as far as we can see it: the owner of
// its state and members of its group; root always may.
func owners(dir string, e *applet.Env) string {
	for _, state := range svdir.States(dir, e.Getenv("SVINIT_STATE_DIR")) {
		var st syscall.Stat_t
		fifo := syscall.Stat(state+"/control", &st) == nil
		if !fifo && syscall.Stat(state, &st) != nil {
			continue
		}
		who := "root"
		if st.Uid != 0 {
			who += " and uid " + strconv.FormatUint(uint64(st.Uid), 10)
		}
		if fifo && st.Mode&0o020 != 0 || !fifo && st.Mode&0o050 != 0 {
			who += " and group " + strconv.FormatUint(uint64(st.Gid), 10)
		}
		return who
	}
	return ""
}

// nearest returns the names in the scan directory that a mistyped name may mean, the most
// similar of them; none if there is a service of that name.
func nearest(e *applet.Env, arg string) (names []string) {
	if strings.Contains(strings.TrimSuffix(arg, "/log"), "/") {
		return nil
	}
	all, _ := listServices(scanDir(e))
	least := max(len(arg)/3, 1)
	for _, name := range all {
		if name == arg {
			return nil
		}
		if strings.HasSuffix(name, "/log") != strings.HasSuffix(arg, "/log") {
			continue
		}
		d := max(distance(arg, name), 1)
		if len(arg) > 2 && (strings.HasPrefix(name, arg) || strings.HasPrefix(arg, name)) {
			d = 1
		}
		switch {
		case d < least:
			least, names = d, append(names[:0], name)
		case d == least:
			names = append(names, name)
		}
	}
	return names
}

// distance returns how many letters must be inserted, removed, replaced, or exchanged with
// their neighbour to turn a into b (the optimal string alignment distance). It is case
// insensitive.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			d := last[j]
			if a[i] != b[j] {
				d++
			}
			d = min(d, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = d
		}
		before, last = last, row
	}
	return last[len(b)]
}
