package svctl

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"svinit/cmd/internal/applet"
	"svinit/reaper/proc"
)

// Zombies is svinit-zombies(8).
var Zombies = applet.Command{
	Name:       "zombies",
	Subcommand: true,
	Synopsis:   "svinit zombies",
	Summary:    "name the processes that do not wait for their children",
	Section:    8,
	Help: `Prints a line for each process that has zombie children: its process ID and command,
and the zombies. Only that process can reap them; when it exits, PID 1 does. Exits 0
and prints nothing if there are none, else 1.
`,
	Run: runZombies,
}

// reapDelay is how long a process may take to wait for a child that has exited.
const reapDelay = 200 * time.Millisecond

func runZombies(e *applet.Env) error {
	if len(e.Args) > 0 {
		return applet.ErrUsage
	}
	before, err := processes()
	if err != nil {
		return applet.Fatal("unable to read /proc", err)
	}
	if !slices.ContainsFunc(before, isDefunct) {
		return nil
	}
	// Every process is a zombie until its parent has waited for it. Report only those
	// that still are after reapDelay.
	time.Sleep(reapDelay)
	now, err := processes()
	if err != nil {
		return applet.Fatal("unable to read /proc", err)
	}
	var out strings.Builder
	for _, parent := range now {
		var left []string
		for _, t := range now {
			if t.Parent == parent.PID && isDefunct(t) && slices.Contains(before, t) {
				left = append(left, strconv.Itoa(t.PID)+" ("+t.Name+")")
			}
		}
		if len(left) == 0 || isDefunct(parent) {
			continue
		}
		out.WriteString(strconv.Itoa(parent.PID) + " (" + parent.Name + ") has not waited for " + plural(len(left)) + ": " + strings.Join(left, " "))
		if parent.PID == 1 && parent.Name == "svinit" {
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

// isDefunct reports whether a process is a zombie: its parent has not waited for it.
func isDefunct(p proc.Process) bool { return p.State == 'Z' }

// processes returns all processes, ordered by pid.
func processes() ([]proc.Process, error) {
	all, err := proc.All()
	slices.SortFunc(all, func(a, b proc.Process) int { return a.PID - b.PID })
	return all, err
}
