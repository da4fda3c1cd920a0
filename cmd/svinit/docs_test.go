package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	pid1 "svinit/init"
)

// cited matches the path of a file, with at least one directory, in a text.
var cited = regexp.MustCompile(`(?:^|[\s"(` + "`" + `])((?:[\w.-]+/)+[\w.-]*\w\.(?:go|s|md|8|sh|txtar|golden|tsv|yaml|conf))\b`)

// linked matches the target of a link in Markdown that is a file.
var linked = regexp.MustCompile(`\]\(([^)#:]+)\)`)

// TestCitations finds documents and comments that name a file which is not in
// the repository, so that a reader would look for it in vain.
func TestCitations(t *testing.T) {
	exists := func(paths ...string) bool {
		return slices.ContainsFunc(paths, func(path string) bool {
			_, err := os.Stat(filepath.Join(root, path))
			return err == nil
		})
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		text, dir := read(t, path), strings.TrimPrefix(filepath.Dir(path), root)
		for _, match := range linked.FindAllStringSubmatch(text, -1) {
			if !exists(dir + "/" + match[1]) {
				t.Errorf("%s links to %s, which does not exist", path, match[1])
			}
		}
		for _, match := range cited.FindAllStringSubmatch(text, -1) {
			if name := match[1]; !exists(name, dir+"/"+name) && !strings.Contains(name, "NAME") {
				t.Errorf("%s names %s, which does not exist", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files(t) {
		for _, comment := range f.Comments {
			for _, match := range cited.FindAllStringSubmatch(comment.Text(), -1) {
				if name := match[1]; !exists(name, f.dir+"/"+name) {
					t.Errorf("a comment in %s names %s, which does not exist", f.path, name)
				}
			}
		}
	}
}

// TestReadme finds settings and commands that README.md does not mention.
func TestReadme(t *testing.T) {
	text := read(t, root+"/README.md")
	for line := range strings.Lines(pid1.HelpEnv()) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(line, "SVINIT_") && !strings.Contains(text, "\n| `"+name+"` | ") {
			t.Errorf("the table of settings in README.md has no %s", name)
		}
	}
	for _, c := range commands {
		called := c.Name
		if c.Subcommand {
			called = binary + " " + c.Name
		}
		if !regexp.MustCompile("[`!/]" + regexp.QuoteMeta(called) + "[` ]").MatchString(text) {
			t.Errorf("README.md does not mention %s", called)
		}
	}
}
