package filter

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"svinit/cmd/internal/applet"
)

// runInProcess runs our multilog in this process, in a temporary directory.
func runInProcess(t *testing.T, script []string, input []byte) (dir string, err error) {
	t.Helper()
	dir = t.TempDir()
	t.Chdir(dir)
	must(t, os.WriteFile("in", input, 0o600))
	in, err := os.Open("in")
	must(t, err)
	defer in.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	must(t, err)
	defer null.Close()
	return dir, runMultilog(&applet.Env{Name: "multilog", Args: script, Stdin: in, Stdout: null, Stderr: null, Environ: os.Environ})
}

// FuzzMultilogScript checks that no script makes it panic or hang. Processors and
// files outside the directory are replaced.
func FuzzMultilogScript(f *testing.F) {
	f.Add("t\ns4096\nn2\n-*\n+a*b\n./d", "one\ntwo\n")
	f.Add("e\n=s\n./a\n./b\n-**\n\n=\n./a", "x\x00\n\nend")
	f.Fuzz(func(t *testing.T, script, input string) {
		args := strings.Split(script, "\n")
		for i, a := range args {
			if a == "" {
				continue
			}
			switch a[0] {
			case '!', '/':
				args[i] = "x"
			case '.', '=':
				args[i] = a[:1] + "/" + strings.Map(func(r rune) rune {
					if r == '/' || r == '.' {
						return 'x'
					}
					return r
				}, a[1:])
				if a[0] == '=' {
					args[i] = "=x" + args[i][2:]
				}
			}
		}
		timeout := time.AfterFunc(testTimeout, func() { panic("it hangs") })
		defer timeout.Stop()
		runInProcess(t, args, []byte(input))
	})
}

// FuzzMultilogInput checks that every line of the input is in the log, whole and in
// order, with ascending labels.
func FuzzMultilogInput(f *testing.F) {
	f.Add([]byte("one\ntwo\n\n\nend"), true)
	f.Add([]byte(linesAroundLimits()), false)
	f.Add([]byte(strings.Repeat("\n", 3000)), true)
	f.Fuzz(func(t *testing.T, input []byte, stamped bool) {
		script := []string{"s4096", "n999999", "./d"}
		if stamped {
			script = append([]string{"t"}, script...)
		}
		dir, err := runInProcess(t, script, input)
		must(t, err)
		got := readLog(t, filepath.Join(dir, "d"), 4096)
		if stamped {
			var plain, last []byte
			for line := range bytes.Lines(got) {
				if len(line) < 27 || line[0] != '@' || line[25] != ' ' || bytes.Compare(last, line[:25]) >= 0 {
					t.Fatalf("label %.30q after %q", line, last)
				}
				last = line[:25]
				plain = append(plain, line[26:]...)
			}
			got = plain
		}
		want := input
		if len(want) > 0 && want[len(want)-1] != '\n' {
			want = append(bytes.Clone(want), '\n')
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes of %d came out", len(got), len(want))
		}
	})
}

// TestTimeLabel checks consecutive labels, a nanosecond apart, across carries.
func TestTimeLabel(t *testing.T) {
	for _, nanos := range []int64{0, 999999990, 1e18 + 0xfff0, 1e18 - 300} {
		var l timeLabel
		l.set(time.Unix(0, nanos))
		var want timeLabel
		for i := range int64(600) {
			want.set(time.Unix(0, nanos+i+1))
			if got := l.next(); string(got) != string(want.text[:]) {
				t.Fatalf("%d+%d: %q, want %q", nanos, i+1, got, want.text)
			}
		}
	}
	var l timeLabel
	l.set(time.Unix(1000000000, 1))
	if got := string(l.next()); got != "@400000003b9aca0a00000002 " {
		t.Errorf("%q", got)
	}
}
