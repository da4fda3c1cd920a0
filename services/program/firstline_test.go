package program

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckShebang(t *testing.T) {
	const (
		again = "the first line of FILE starts NAME with the file as its program, again and again: it must be \"#!/path/svinit run\""
		more  = "the first line of FILE has more behind run: it must be \"#!/path/svinit run\""
		crlf  = "FILE ends its first line with CR LF, as Windows does: save it with LF alone"
	)
	for _, c := range []struct{ name, text, first, wrong string }{
		{"svinit", "#!/svinit\nx", "", again},
		{"svinit", "#!/svinit", "", again},
		{"svinit", "#! \t/a/b/svinit\t \nx", "", again},
		{"svinit", "#!/svinit --\n", "", again},
		{"svinit", "#!/svinit -pTERM --leave-orphans\n", "", again},
		{"svinit", "#!/usr/bin/env svinit\n", "", again},
		{"svinit", "#!/usr/bin/env -S svinit --\n", "", again},
		{"tini", "#!/sbin/tini -g\n", "", again},
		{"init", "#!/init\n", "", again},
		{"svinit", "#!/svinit run -e\n", "run -e", more},
		{"svinit", "#!/svinit run\t# x\n", "run\t# x", more},
		{"svinit", "#!/svinit run\r\n", "run\r", crlf},
		{"svinit", "#!/svinit run\n", "", ""},
		{"svinit", "#!/svinit run \nx", "", ""},
		{"svinit", "#!/usr/bin/env -S svinit run -n\n", "", ""},
		{"svinit", "#!/svinit /bin/sh\n", "", ""},
		{"tini", "#!/usr/bin/env -S tini -- /bin/sh\n", "", ""},
		{"svinit", "#!/tini\n", "", ""},
		{"tini", "#!/svinit\n", "", ""},
		{"svinit", "#!/bin/sh\n#!/svinit\n", "", ""},
		{"svinit", "svinit\n", "", ""},
		{"svinit", "#!\n", "", ""},
		{"svinit", "#!/usr/bin/env\n", "", ""},
		{"svinit", "", "", ""},
		{"svinit", "#!" + strings.Repeat(" ", 300) + "/svinit\n", "", ""},
		{"svinit", "#!/svinit\n", "runner", ""}, // its argument
		{"svinit", "#!/svinit\n", "run", ""},
	} {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(c.text), 0o755); err != nil {
			t.Fatal(err)
		}
		command := []string{file, "argument"}
		if c.first != "" {
			command = append([]string{c.first}, command...)
		}
		want := strings.NewReplacer("FILE", file, "NAME", c.name).Replace(c.wrong)
		if got := text(CheckShebang(c.name, command)); got != want {
			t.Errorf("%s, %q %q\n got %s\nwant %s", c.name, c.first, c.text, got, want)
		}
	}
	for _, command := range [][]string{nil, {"sh"}, {"/"}, {"/no/such"}, {"run -e"}, {"run -e", "x"}} {
		if err := CheckShebang("svinit", command); err != nil {
			t.Errorf("%q: %v", command, err)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
