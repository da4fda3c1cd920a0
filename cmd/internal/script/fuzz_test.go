package script

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"svinit/cmd/internal/applet"
)

// FuzzParse has any bytes at all: nothing panics, and a fault is at a place of
// the text, or at its end.
func FuzzParse(f *testing.F) {
	for _, c := range dashCases {
		f.Add(c)
	}
	for _, c := range refused {
		f.Add(c.script)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := parse([]byte(text))
		if err == nil {
			return
		}
		var wrong *fault
		if !errors.As(err, &wrong) {
			t.Fatalf("%q: %v is no fault", text, err)
		}
		lines := strings.Split(text, "\n")
		if wrong.line < 1 || wrong.line > len(lines) || wrong.col < 1 || wrong.col > len(lines[wrong.line-1])+1 {
			t.Errorf("%q: %v is outside", text, err)
		}
	})
}

// FuzzWords gives dash the words that we accept, and compares what they
// expand to.
func FuzzWords(f *testing.F) {
	dash, err := exec.LookPath("dash")
	if err != nil {
		f.Skip("dash is missing: apt-get install dash")
	}
	const print = "printf '<%s>' "
	for _, c := range dashCases {
		if words, ok := strings.CutPrefix(c, print); ok {
			f.Add(words)
		}
	}
	environ := []string{"A=1 2", "B=", "HOME=/h", "X= * x  y\t\nz ", "PATH=/bin"}
	f.Fuzz(func(t *testing.T, words string) {
		// Process ids and what else a shell has of its own are not compared.
		if strings.Contains(words, "$$") || strings.Contains(words, "{$") || strings.ContainsAny(words, "PO_") {
			return
		}
		text := print + words
		lines, err := parse([]byte(text))
		if err != nil || len(lines) != 1 || len(lines[0].files) > 0 {
			return
		}
		r := newRunner(&applet.Env{Environ: func() []string { return environ }}, []string{"name", "1st", "2 nd", ""}, nil)
		args, err := r.arguments(lines[0].words)
		cmd := exec.CommandContext(t.Context(), dash, "-efc", text, "name", "1st", "2 nd", "")
		cmd.Env = environ
		out, dashErr := cmd.Output()
		if (err == nil) != (dashErr == nil) {
			t.Fatalf("%q: dash: %v, ours: %v", text, dashErr, err)
		}
		if err != nil {
			return
		}
		want := "<" + strings.Join(args[2:], "><") + ">"
		if string(out) != want {
			t.Errorf("%q\ndash: %q\nours: %q", text, out, want)
		}
	})
}
