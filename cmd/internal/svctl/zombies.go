package svctl

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"svinit/cmd/internal/applet"
)

// Zombies is svinit-zombies(8).
var Zombies = applet.Command{
	Name:     "zombies",
	Sub:      true,
	Synopsis: "svinit zombies",
	Summary:  "name the processes that do not wait for their children",
	Section:  8,
	Help: `Prints a line for each living process that has defunct children: its pid, its
command, how many, and which. Only that process can reap them; PID 1 gets them
when it ends. Exits 0 and prints nothing when there are none, and 1 when there
are.
`,
	Run: zombies,
}

// settle is how long a process may take to wait for a child that has ended.
const settle = 200 * time.Millisecond

func zombies(e *applet.Env) error {
	if len(e.Args) > 0 {
		return applet.ErrUsage
	}
	before, err := processes()
	if err != nil {
		return applet.Fatal("unable to read /proc", err)
	}
	if !slices.ContainsFunc(before, task.defunct) {
		return nil
	}
	// Every process is defunct until its parent has waited for it. Only who
	// still is after a while has been forgotten.
	time.Sleep(settle)
	now, err := processes()
	if err != nil {
		return applet.Fatal("unable to read /proc", err)
	}
	var out strings.Builder
	for _, parent := range now {
		var left []string
		for _, t := range now {
			if t.parent == parent.pid && t.defunct() && slices.Contains(before, t) {
				left = append(left, strconv.Itoa(t.pid)+" ("+t.name+")")
			}
		}
		if len(left) == 0 || parent.defunct() {
			continue
		}
		out.WriteString(strconv.Itoa(parent.pid) + " (" + parent.name + ") has not waited for " + plural(len(left)) + ": " + strings.Join(left, " "))
		if parent.pid == 1 && parent.name == "svinit" {
			out.WriteString(": a bug of svinit, which should have: please report it")
		}
		out.WriteByte('\n')
	}
	if out.Len() == 0 {
		return nil
	}
	if _, err := e.Stdout.WriteString(out.String()); err != nil {
		return applet.Fatal("unable to write to standard output", err)
	}
	return applet.Silent(1)
}

func plural(n int) string {
	if n == 1 {
		return "1 child"
	}
	return strconv.Itoa(n) + " children"
}

// task is a process as /proc/PID/stat has it (proc_pid_stat(5)).
type task struct {
	pid, parent int
	name        string // the command, made printable
	state       byte
	start       string
}

func (t task) defunct() bool { return t.state == 'Z' }

// processes returns all processes, by pid.
func processes() ([]task, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var all []task
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		b, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it has gone
		}
		// The command can hold anything, parentheses and newlines too.
		from, to := strings.IndexByte(string(b), '('), strings.LastIndexByte(string(b), ')')
		if from < 0 || to < from {
			continue
		}
		f := strings.Fields(string(b[to+1:]))
		if len(f) < 20 {
			continue
		}
		t := task{pid: pid, name: printable(string(b[from+1 : to])), state: f[0][0], start: f[19]}
		t.parent, _ = strconv.Atoi(f[1])
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b task) int { return a.pid - b.pid })
	return all, nil
}

// printable has a question mark for each byte that a terminal might obey.
func printable(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}
