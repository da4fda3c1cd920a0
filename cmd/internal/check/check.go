// Package check is "svinit check": it says what is wrong with the services of a
// scan directory, without starting any of them.
//
// What a service is, and which of its files have no effect, it has from package
// spec, as the supervisor has. Beyond that it looks at what can otherwise be seen
// only when a service is started or stopped: whether its programs can be executed
// (package program), how the script run ends (shell.go), whether the program that
// it starts stays in the foreground (daemon.go, loader.go), and whether the times
// that it may take to stop fit into the deadline.
package check

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"svinit/cmd/internal/applet"
	"svinit/services/scan"
	"svinit/services/svdir"
)

// Check is svinit-check(8).
var Check = applet.Command{
	Name:       "check",
	Subcommand: true,
	Synopsis:   "svinit check [dir ...]",
	Summary:    "say what is wrong with services, without starting them",
	Section:    8,
	Help: `Looks at every service in the scan directory ($SVINIT_SERVICE_DIR, else
/etc/service), or in each dir, which is a scan directory or a service directory.
Prints a line for each problem, FILE[:LINE]: error|warning: what is wrong and what
to do. Starts nothing. Exits 0 if there is no problem, 1 if there are only warnings,
100 if there are errors.
`,
	Run: run,
}

const (
	exitWarnings = 1
	exitErrors   = applet.ExitPermanent
)

func run(e *applet.Env) error {
	o := applet.Options{Args: e.Args}
	o.Next()
	if o.Bad != "" {
		e.Log(o.Bad)
		return applet.ErrUsage
	}
	dirs := o.Args
	if len(dirs) == 0 {
		dirs = []string{cmp.Or(e.Getenv("SVINIT_SERVICE_DIR"), svdir.ScanDir)}
	}
	c := checker{path: e.Getenv("PATH"), stop: svdir.StopTimeout}
	if text := e.Getenv("SVINIT_STOP_TIMEOUT"); text != "" {
		var err error
		if c.stop, err = time.ParseDuration(text); err != nil || c.stop < 0 {
			return errors.New("SVINIT_STOP_TIMEOUT=" + strconv.Quote(text) + ": not a time such as 8s or 500ms")
		}
	}
	for _, dir := range dirs {
		if err := c.checkDir(filepath.Clean(dir)); err != nil {
			return applet.Fatal("unable to read directory "+dir, err)
		}
	}
	text, code := c.report()
	if _, err := e.Stdout.WriteString(text); err != nil {
		return applet.Fatal("unable to write to standard output", err)
	}
	if code != 0 {
		return applet.Silent(code)
	}
	return nil
}

// checker collects what is found.
type checker struct {
	path     string        // PATH of the services
	stop     time.Duration // how long all services together may take to stop
	findings []finding
}

// finding is one line of the output.
type finding struct {
	file    string
	line    int // from 1; 0 for the file as a whole
	warning bool
	text    string // what is wrong, and the remedy
}

func (c *checker) error(file string, line int, text string) {
	c.findings = append(c.findings, finding{file, line, false, text})
}

func (c *checker) warning(file string, line int, text string) {
	c.findings = append(c.findings, finding{file, line, true, text})
}

// errorOf adds an error that may name the file itself.
func (c *checker) errorOf(file string, err error) {
	c.error(file, 0, withoutFile(err.Error(), file))
}

// withoutFile removes the name of the file, which the line begins with, from the
// beginning of a text: "FILE: REASON" or a sentence about it.
func withoutFile(text, file string) string {
	if rest, ok := strings.CutPrefix(text, file+": "); ok {
		return rest
	}
	if rest, ok := strings.CutPrefix(text, file+" "); ok {
		return "it " + rest
	}
	return text
}

// checkDir checks a scan directory, or a service directory: it has run.
func (c *checker) checkDir(dir string) error {
	if st, err := os.Lstat(dir + "/run"); err == nil && !st.IsDir() {
		c.checkEntry(dir)
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); name[0] != '.' {
			c.checkEntry(filepath.Join(dir, name))
		}
	}
	return nil
}

// checkEntry checks one entry of a scan directory.
func (c *checker) checkEntry(path string) {
	if st, err := os.Stat(path); err != nil || !st.IsDir() {
		if err := scan.CheckEntry(path); err != nil {
			c.errorOf(path, err)
		}
		return
	}
	c.checkService(filepath.Base(path), path)
	log := path + "/log"
	st, err := os.Stat(log)
	switch {
	case err != nil:
		if _, err := os.Lstat(log); err == nil {
			c.errorOf(log, scan.CheckEntry(log))
		}
	case !st.IsDir():
		c.error(log, 0, "not a directory: a logger is the executable log/run")
	default:
		// An application may keep files of its own in a directory log.
		if _, err := os.Lstat(log + "/run"); err == nil {
			c.checkService(filepath.Base(path)+"/log", log)
		}
	}
}

// report returns the lines, ordered, and the exit code.
func (c *checker) report() (text string, code int) {
	slices.SortFunc(c.findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.text, b.text))
	})
	var b strings.Builder
	for _, f := range slices.Compact(c.findings) {
		b.WriteString(f.file)
		if f.line > 0 {
			b.WriteString(":" + strconv.Itoa(f.line))
		}
		if f.warning {
			b.WriteString(": warning: ")
			code = max(code, exitWarnings)
		} else {
			b.WriteString(": error: ")
			code = exitErrors
		}
		b.WriteString(strings.ReplaceAll(f.text, "\n", " ") + "\n")
	}
	return b.String(), code
}
