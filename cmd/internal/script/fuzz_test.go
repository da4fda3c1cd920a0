package script

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"svinit/cmd/internal/applet"
	"svinit/cmd/internal/difftest"
)

// FuzzParse parses any bytes: nothing panics, and an error has a position in the
// text or at its end.
func FuzzParse(f *testing.F) {
	for _, c := range dashCases {
		f.Add(c)
	}
	for _, c := range invalidScripts {
		f.Add(c.script)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// A parser that does not return is an error too.
		timeout := time.AfterFunc(10*time.Second, func() { panic("endless: " + strconv.Quote(text)) })
		_, err := parse([]byte(text))
		timeout.Stop()
		if err == nil {
			return
		}
		var wrong *scriptError
		if !errors.As(err, &wrong) {
			t.Fatalf("%q: %v is not a scriptError", text, err)
		}
		lines := strings.Split(text, "\n")
		if wrong.line < 1 || wrong.line > len(lines) || wrong.col < 1 || wrong.col > len(lines[wrong.line-1])+1 {
			t.Errorf("%q: %v is outside", text, err)
		}
	})
}

// FuzzWords compares what dash and we expand words to, if we accept them.
func FuzzWords(f *testing.F) {
	dash, err := exec.LookPath("dash")
	if err != nil {
		f.Skip("dash is missing: apt-get install dash")
	}
	for _, c := range dashCases {
		if words, ok := strings.CutPrefix(c, printCommand); ok {
			f.Add(words)
		}
	}
	f.Fuzz(func(t *testing.T, words string) { compareWords(t, dash, words) })
}

// printCommand is the command that the words are arguments of.
const printCommand = "printf '<%s>' "

// compareWords reports whether the words were accepted and compared.
func compareWords(t *testing.T, dash, words string) bool {
	// $$, PPID, PWD, OPTIND, _ and the like differ between two shells.
	if strings.Contains(words, "$$") || strings.Contains(words, "{$") || strings.ContainsAny(words, "PO_") {
		return false
	}
	environ := []string{"A=1 2", "B=", "HOME=/h", "X= * x  y\t\nz ", "PATH=/bin"}
	text := printCommand + words
	lines, err := parse([]byte(text))
	if err != nil || len(lines) != 1 || len(lines[0].redirects) > 0 {
		return false
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
		return true
	}
	want := "<" + strings.Join(args[2:], "><") + ">"
	if string(out) != want {
		t.Errorf("%q\ndash: %q\nours: %q", text, out, want)
	}
	return true
}

// TestRandomWords compares random words made of pieces of the language, the same
// words each time.
func TestRandomWords(t *testing.T) {
	dash := difftest.Real(t, "dash", "dash")
	pieces := strings.Split("a|b c| | |  |\t|'|'|\"|\"|\"|\\\\|\\ |\\'|\\\"|\\$|\\}|\\\n|\\a|$A|$B|$X|$UNSET|${A}|${B:-|${UNSET-|${UNSET:-|${A+|${A:+|${B+|${B:+|"+
		"${UNSET=|}|}|}|}|\"$@\"|$1|$2|$3|$4|$#|#| #|=|:|é|{|,|$|%|/|''|\"\"|\"$X\"|\"$A\"|\"$B\"", "|")
	random := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for range 20000 {
		words := ""
		for range 1 + random.IntN(9) {
			words += pieces[random.IntN(len(pieces))]
		}
		if compareWords(t, dash, words) {
			compared++
		}
		if compared == maxRandomWords || t.Failed() {
			break
		}
	}
	t.Logf("%d compared", compared)
}

const maxRandomWords = 400
