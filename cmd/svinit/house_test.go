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

// The tests of the house: what doc/architecture.md and CONTRIBUTING.md ask of
// every package, checked here so that no review has to.

const root = "../.."

// architecture has the two tables that these tests read: "Rooms" (folder,
// package, …) and "Imports" (folder, packages of svinit, other packages).
const architecture = "doc/architecture.md"

// section returns the rows of the first table under a heading of a Markdown
// document, without its head: each cell as the words in it that stand between
// backquotes.
func section(t *testing.T, doc, heading string) (rows [][][]string) {
	t.Helper()
	_, text, ok := strings.Cut(read(t, root+"/"+doc), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("%s has no section %s", doc, heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	quoted := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			if rows != nil {
				break
			}
			continue
		}
		var row [][]string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			var words []string
			for _, match := range quoted.FindAllStringSubmatch(cell, -1) {
				words = append(words, match[1])
			}
			row = append(row, words)
		}
		rows = append(rows, row)
	}
	if len(rows) < 3 {
		t.Fatalf("%s has no table under %s", doc, heading)
	}
	return rows[2:] // after the titles and the line below them
}

// importTable returns what each package may import besides the standard
// library. "..." is any of our packages below.
func importTable(t *testing.T) map[string][]string {
	t.Helper()
	table := make(map[string][]string)
	for _, row := range section(t, architecture, "Imports") {
		if len(row) != 3 || len(row[0]) != 1 {
			t.Fatalf("%s: the import table has a row %q, want one folder and two lists", architecture, row)
		}
		dir := row[0][0]
		if table[dir] != nil {
			t.Errorf("%s: the import table has two rows for %s", architecture, dir)
		}
		table[dir] = append(append([]string{}, row[1]...), row[2]...)
	}
	return table
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
	set   *token.FileSet
	lines int
}

func (f file) test() bool {
	return strings.HasSuffix(f.path, "_test.go") || slices.Contains(support, f.dir)
}
func (f file) outside() bool { return slices.Contains(outside, strings.Split(f.path, "/")[0]) }

func (f file) linesOf(n ast.Node) int {
	return f.set.Position(n.End()).Line - f.set.Position(n.Pos()).Line + 1
}

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
		files = append(files, file{rel, filepath.Dir(rel), parsed, set, set.File(parsed.Pos()).LineCount()})
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

// Every package is a room of doc/architecture.md, under its own name, and every
// room there exists.
func TestRooms(t *testing.T) {
	names := make(map[string]string)
	for _, f := range files(t) {
		if !f.outside() && !strings.HasSuffix(f.path, "_test.go") {
			names[f.dir] = f.Name.Name
		}
	}
	rooms := make(map[string]bool)
	for _, row := range section(t, architecture, "Rooms") {
		if len(row) != 4 || len(row[0]) != 1 {
			t.Fatalf("%s: the table of rooms has a row %q, want one folder, its package and two cells", architecture, row)
		}
		dir := row[0][0]
		rooms[dir] = true
		if _, err := os.Stat(root + "/" + dir); err != nil {
			t.Errorf("%s names a room %s: %v", architecture, dir, err)
		}
		if name := strings.Join(row[1], " "); !slices.Contains(outside, dir) && name != names[dir] {
			t.Errorf("%s says that %s is package %q, and it is %q", architecture, dir, name, names[dir])
		}
	}
	for dir := range names {
		if !rooms[dir] {
			t.Errorf("%s: the table of rooms has no row for %s", architecture, dir)
		}
	}
}

func TestImports(t *testing.T) {
	imports := importTable(t)
	seen := make(map[string]bool)
	used := make(map[[2]string]bool)
	for _, f := range files(t) {
		if f.test() || f.outside() {
			continue
		}
		allowed, ok := imports[f.dir]
		if !ok {
			t.Errorf("%s: the import table of %s has no row for %s", f.path, architecture, f.dir)
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
			i := slices.IndexFunc(allowed, func(a string) bool { return covers(a, own) })
			if i < 0 {
				t.Errorf("%s imports %s, which the import table of %s does not allow", f.path, path, architecture)
			} else {
				used[[2]string{f.dir, allowed[i]}] = true
			}
			if in, ok := only[path]; ok && in != f.path {
				t.Errorf("%s imports %s, which only %s may", f.path, path, in)
			}
		}
	}
	for dir, allowed := range imports {
		if !seen[dir] {
			t.Errorf("the import table of %s has a row for %s, which is no package", architecture, dir)
			continue
		}
		for _, a := range allowed {
			if !used[[2]string{dir, a}] {
				t.Errorf("the import table of %s allows %s to import %s, which it does not", architecture, dir, a)
			}
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
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && !f.test() && f.linesOf(fn) > 60 {
				t.Errorf("%s: %s has %d lines, more than 60", f.path, fn.Name.Name, f.linesOf(fn))
			}
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
		if c.Subcommand {
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
