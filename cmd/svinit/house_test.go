package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	pid1 "svinit/init"
)

// The tests of the house: what design/house.md and design/style.md ask of
// every package, so that it need not be asked again at every review.

const root = "../.."

// imports is the import table: what a package may import besides the standard
// library. "..." is any of our packages below.
var imports = map[string][]string{
	"cmd/svinit":            {"init", "services/program", "cmd/internal/...", "github.com/moby/sys/reexec"},
	"cmd/internal/applet":   {},
	"cmd/internal/chain":    {"cmd/internal/applet", "services/program", "golang.org/x/sys/unix"},
	"cmd/internal/compat":   {"cmd/internal/applet", "init", "services/program", "golang.org/x/sys/unix"},
	"cmd/internal/filter":   {"cmd/internal/applet", "services/svlog", "services/svlog/...", "services/tai64n", "golang.org/x/sys/unix"},
	"cmd/internal/script":   {"cmd/internal/applet", "services/program", "golang.org/x/sys/unix", "mvdan.cc/sh/v3/syntax"},
	"cmd/internal/super":    {"cmd/internal/applet", "services/...", "reaper", "init/signals", "golang.org/x/sys/unix"},
	"cmd/internal/svctl":    {"cmd/internal/applet", "reaper/proc", "services/svdir", "golang.org/x/sys/unix"},
	"init":                  {"init/signals", "services/...", "reaper", "reaper/proc", "github.com/kelseyhightower/envconfig", "golang.org/x/sys/unix"},
	"init/signals":          {"golang.org/x/sys/unix"},
	"reaper":                {"reaper/proc", "golang.org/x/sys/unix"},
	"reaper/proc":           {"golang.org/x/sys/unix"},
	"services":              {"services/epoll", "services/program", "services/svdir", "services/svlog", "golang.org/x/sys/unix"},
	"services/epoll":        {"golang.org/x/sys/unix"},
	"services/program":      {"golang.org/x/sys/unix"},
	"services/svdir":        {"services/tai64n"},
	"services/svlog":        {"services/epoll", "services/tai64n", "golang.org/x/sys/unix"},
	"services/svlog/logdir": {"services/tai64n", "golang.org/x/sys/unix"},
	"services/tai64n":       {},
}

// only says which file alone imports something.
var only = map[string]string{
	"github.com/kelseyhightower/envconfig": "init/config.go",
	"github.com/moby/sys/reexec":           "cmd/svinit/main.go",
}

// heavy is what no tool may import itself: their start would pay for it.
var heavy = []string{"encoding/json", "net", "net/http", "regexp", "text/template", "html/template", "log/slog"}

// outside is folders whose programs are no part of the binary.
var outside = []string{"bench", "docker"}

// support is packages that only tests import.
var support = []string{"cmd/internal/difftest"}

// file is a Go file of the module.
type file struct {
	path string // from the root
	dir  string
	*ast.File
	lines int
}

func (f file) test() bool {
	return strings.HasSuffix(f.path, "_test.go") || slices.Contains(support, f.dir)
}
func (f file) outside() bool { return slices.Contains(outside, strings.Split(f.path, "/")[0]) }

func (f file) imports() (paths []string) {
	for _, spec := range f.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		paths = append(paths, path)
	}
	return paths
}

// files parses all Go files of the module.
func files(t *testing.T) (files []file) {
	t.Helper()
	set := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		files = append(files, file{rel, filepath.Dir(rel), parsed, set.File(parsed.Pos()).LineCount()})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestPackageComments(t *testing.T) {
	comments := make(map[string][]string)
	for _, f := range files(t) {
		if strings.HasSuffix(f.path, "_test.go") {
			continue
		}
		if comments[f.dir] == nil {
			comments[f.dir] = []string{}
		}
		if f.Doc != nil {
			comments[f.dir] = append(comments[f.dir], f.path)
		}
	}
	for dir, in := range comments {
		if len(in) != 1 {
			t.Errorf("package %s has its comment in %q, want one file", dir, in)
		}
	}
}

func TestImports(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range files(t) {
		if f.test() || f.outside() {
			continue
		}
		allowed, ok := imports[f.dir]
		if !ok {
			t.Errorf("%s: the house has no room %s", f.path, f.dir)
			continue
		}
		seen[f.dir] = true
		for _, path := range f.imports() {
			own, isOwn := strings.CutPrefix(path, "svinit/")
			if !isOwn && !strings.Contains(strings.Split(path, "/")[0], ".") {
				if strings.HasPrefix(f.dir, "cmd/internal/") && slices.Contains(heavy, path) {
					t.Errorf("%s imports %s, which is too heavy for a tool", f.path, path)
				}
				continue
			}
			if !slices.ContainsFunc(allowed, func(a string) bool { return covers(a, own) }) {
				t.Errorf("%s imports %s", f.path, path)
			}
			if in, ok := only[path]; ok && in != f.path {
				t.Errorf("%s imports %s, which is %s's alone", f.path, path, in)
			}
		}
	}
	for dir := range imports {
		if !seen[dir] {
			t.Errorf("no package in %s", dir)
		}
	}
}

// covers reports whether an entry of the import table allows path.
func covers(entry, path string) bool {
	below, all := strings.CutSuffix(entry, "/...")
	return entry == path || all && (below == path || strings.HasPrefix(path, below+"/"))
}

func TestBans(t *testing.T) {
	const mainFile = "cmd/svinit/main.go"
	for _, f := range files(t) {
		if f.outside() {
			continue
		}
		if !f.test() && slices.Contains(f.imports(), "os/exec") {
			t.Errorf("%s imports os/exec, whose wait competes with the reaper's", f.path)
		}
		if f.lines > 400 {
			t.Errorf("%s has %d lines, more than 400", f.path, f.lines)
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := call.X.(*ast.Ident)
			if !ok {
				return true
			}
			switch name := pkg.Name + "." + call.Sel.Name; {
			case (name == "os.Exit" || name == "os.Args") && !f.test() && f.path != mainFile:
				t.Errorf("%s uses %s, which is %s's alone", f.path, name, mainFile)
			case name == "time.Sleep" && f.test():
				t.Errorf("%s waits by time.Sleep: wait for what is to happen", f.path)
			}
			return true
		})
	}
}

func TestCommandsAreDocumented(t *testing.T) {
	var scenarios []string
	names, err := filepath.Glob(root + "/testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		scenarios = append(scenarios, read(t, name))
	}
	overview := read(t, root+"/doc/man/svinit.8")
	for line := range strings.Lines(pid1.HelpEnv()) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(line, "SVINIT_") && !strings.Contains(overview, ".It Ev "+name+"\n") {
			t.Errorf("svinit(8) does not explain %s", name)
		}
	}
	for _, c := range commands {
		called := c.Name
		if c.Sub {
			called = binary + " " + c.Name
		}
		if c.Name == "" || !strings.HasPrefix(c.Synopsis, called) || c.Summary == "" || !strings.HasSuffix(c.Help, "\n") || c.Run == nil {
			t.Errorf("%s: its usage is not whole: %+v", c.Name, c)
		}
		page := read(t, root+"/doc/man/"+c.Page()+"."+strconv.Itoa(c.Section))
		about := ".Nd " + c.Summary + "\n"
		if c.Compat { // a page is about all of them
			about = ".Ss " + c.Name + "\n"
		}
		for _, must := range []string{".Nm " + c.Page() + "\n", about, ".Sh SYNOPSIS\n", ".Sh EXIT STATUS\n", ".Sh EXAMPLES\n"} {
			if !strings.Contains(page, must) {
				t.Errorf("the manual page of %s has no %q", c.Name, must)
			}
		}
		if !strings.Contains(overview, ".Xr "+c.Page()+" "+strconv.Itoa(c.Section)) {
			t.Errorf("svinit(8) does not refer to %s", c.Name)
		}
		use := regexp.MustCompile(`(?m)^[^#\n]*\b` + regexp.QuoteMeta(called) + `\b`)
		if !slices.ContainsFunc(scenarios, use.MatchString) {
			t.Errorf("no scenario in testdata/script has %s", c.Name)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}
