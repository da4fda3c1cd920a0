package filter

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"svinit/cmd/internal/difftest"
)

// nobody is the ID of an unprivileged user.
const nobody = 65534

// numberedLines returns n lines of about size bytes.
func numberedLines(n, size int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("line " + strconv.Itoa(i) + " ")
		b.WriteString(strings.Repeat("x", size-8) + "\n")
	}
	return b.String()
}

// linesAroundLimits returns lines with lengths around the limits: of patterns, of
// e, of the original's buffers.
func linesAroundLimits() string {
	var b strings.Builder
	for _, edge := range []int{0, 174, 200, 226, 486, 512, 974, 1000, 1024, 2000, 4096, 8192} {
		for n := max(0, edge-2); n <= edge+2; n++ {
			b.WriteString(strings.Repeat(strconv.Itoa(n)+".", n/4+1)[:n] + "\n")
		}
	}
	return b.String()
}

// randomLines returns lines of random lengths, many of them at the limits.
func randomLines(seed uint64, size int) string {
	r := rand.New(rand.NewPCG(seed, 0))
	edges := []int{0, 1, 26, 300, 485, 486, 487, 511, 512, 513, 973, 974, 975, 999, 1000, 1001, 1023, 1024, 1025, 5000}
	var b []byte
	for len(b) < size {
		n := edges[r.IntN(len(edges))]
		if r.IntN(2) == 0 {
			n = int(r.ExpFloat64() * 100)
		}
		for range n {
			b = append(b, byte('a'+r.IntN(26)))
		}
		b = append(b, '\n')
	}
	return string(b)
}

// TestMultilogMatchesOriginal compares what scripts do with lines.
func TestMultilogMatchesOriginal(t *testing.T) {
	words := "start\nfatal: disk\nwarning: x\n\nfatal:\nend fatal: no\nfatal\n*\na*b\n"
	for _, c := range []struct {
		script string // separated by spaces, or by | if it contains one
		stdin  string
	}{
		// Scripts without an action, and arguments that are not actions.
		{"", words}, {"t", words}, {"x", words}, {"T ./d", words}, {"E ./d", words}, {"-h", words}, {"--help", words}, {"||./d", words},
		{"./d t", words}, {"x t ./d", words}, {"# ./d", words}, {"~ ./d", words}, {"d", words}, {"tail ./d", words}, {"t5 ./d", words},
		// Inputs.
		{"./d", ""}, {"t ./d", ""}, {"./d", "\n"}, {"t ./d", "\n"}, {"./d", "\n\n\n"}, {"./d", "no end"}, {"t ./d", "no end"}, {"e", "no end"},
		{"./d", "nul\x00in\x00it\n\x00\n"}, {"e t", "nul\x00\n"}, {"./d e =s", "\xff\xfe\r\n\t\x1b[m\n"}, {"=s", "nul\x00\n"}, {"./d", "\x00"},
		{"./d e", linesAroundLimits()}, {"t ./d e", linesAroundLimits()}, {"t ./d e =s", linesAroundLimits() + "end"}, {"./d", strings.Repeat("z", 100000)}, {"t s4096 n99 ./d", strings.Repeat("z", 100000)},
		{"./d", strings.Repeat("\n", 70000)}, {"t s4096 n999 ./d", strings.Repeat("\n", 5000)}, {"s4096 n99 ./d", strings.Repeat("y", 1000) + "\n" + strings.Repeat("z", 30000) + "\n" + numberedLines(100, 90)},
		// Patterns.
		{"-* ./d", words}, {"+* ./d", words}, {"-* +* ./d", words}, {"-*|+fatal: *|./d", words}, {"-*|+*fatal:*|./d", words}, {"-fatal ./d", words},
		{"-fatal* ./d", words}, {"-*fatal ./d", words}, {"-*l ./d", words}, {"-** ./d", words}, {"-a** ./d", words}, {"-a*** ./d", words}, {"-***b ./d", words},
		{"-|./d", words}, {"- ./d", words}, {"+ ./d", words}, {"-* + ./d", words}, {"-*a*b ./d", "ab\nxab\naxb\naab\nabb\nba\n"}, {"-*aab ./d", "aab\naaab\nxaab\n"},
		{"-* +f* -*k ./d", words}, {"+x -s* +start ./d", words}, {"-e* ./a +e* ./b -f* ./c", words}, {"t|-@* f*|./d", words}, {"t -f* ./d", words}, {"t -*|+@* *|./d", words},
		{"t|-*|+@*:*|./d", words}, {"-* +*z ./d", strings.Repeat("y", 999) + "z\n" + strings.Repeat("y", 1000) + "z\n" + strings.Repeat("y", 998) + "z\n"},
		{"t -* +*z ./d", strings.Repeat("y", 973) + "z\n" + strings.Repeat("y", 974) + "z\n"}, {"-\n ./d", words}, {"-\xff* ./d", "\xff\n\xfe\n"},
		// Standard error.
		{"e", words}, {"t e", words}, {"e e", words}, {"error", words}, {"-f* e", words}, {"e -f* ./d e", words}, {"t e ./d", numberedLines(20, 250)}, {"-* e", words},
		// Status files.
		{"=s", words}, {"t =s", words}, {"=s", "no end"}, {"=s", ""}, {"=s =s", words}, {"=a -f* =b", words}, {"=s", linesAroundLimits()}, {"-* =s", words}, {"=/dev/null", words}, {"=./x ./d", words},
		{"=s", "long long long\nshort\n"}, {"=s", "short\n\n"}, {"=", words}, {"=no/such", words}, {"=s/", words}, {"=. ./d", words}, {"./d =no/such", words}, {"=" + strings.Repeat("n", 300), words},
		// Directories.
		{"./a ./b ./c", words}, {"./a ./a", words}, {"./a .//a", words}, {".", words}, {"./", words}, {"..../a", words}, {"./no/such", words}, {"./a ./no/such ./c", words}, {".x", words}, {"/dev/null", words}, {"/proc/self/x", words},
		{"./" + strings.Repeat("n", 300), words}, {"/dev/null/x ./d", words}, {"./d/../e", words},
		// Numbers.
		{"s4096 n5 ./d", numberedLines(300, 100)}, {"s0 n5 ./d", numberedLines(300, 100)}, {"s n ./d", numberedLines(300, 100)}, {"s5000x n3x ./d", numberedLines(300, 100)}, {"s-1 n-1 ./d", numberedLines(300, 100)},
		{"s4095 ./d", numberedLines(300, 100)}, {"s4097 ./d", numberedLines(300, 100)}, {"s6096 n2 ./d", numberedLines(300, 100)}, {"s18446744073709555712 n18446744073709551619 ./d", numberedLines(300, 100)},
		{"s99999999999999999999999 ./d", numberedLines(3000, 100)}, {"s16777215 ./d", numberedLines(3000, 100)}, {"s16777216 ./d", numberedLines(300, 100)}, {"n0 s4096 ./d", numberedLines(200, 90)}, {"n1 s4096 ./d", numberedLines(200, 90)},
		{"n2 s4096 ./d", numberedLines(200, 90)}, {"n4294967299 s4096 ./d", numberedLines(500, 90)}, {"s4096 ./a s8192 ./b n3 ./c", numberedLines(500, 90)}, {"./d s4096 n2", numberedLines(300, 90)}, {"s04100 n03 ./d", numberedLines(300, 90)}, {"s+4096 ./d", numberedLines(1100, 90)},
		{"s0x2000 n3 ./d", numberedLines(300, 90)}, {"./d", numberedLines(1100, 90)}, {"t ./d", numberedLines(2000, 90)}, {"n3 ./d", numberedLines(8000, 90)}, {"t s1000000 n10 ./d", numberedLines(30000, 100)},
		// Sizes of rotated files.
		{"s4096 n9999 ./d", linesAroundLimits() + linesAroundLimits()}, {"t s4096 n9999 ./d", linesAroundLimits() + linesAroundLimits()}, {"s4096 n9999 -*7* ./d", linesAroundLimits() + linesAroundLimits()}, {"s4096 n999 ./a -*a* s5000 ./b t ./c", randomLines(1, 60000)},
		{"s4096 n9999 ./d", randomLines(2, 80000)}, {"t s4096 n9999 ./d", randomLines(3, 80000)}, {"s7777 n9999 ./d", randomLines(4, 80000)}, {"t s7777 n9999 ./d", randomLines(5, 200000) + "end"},
		{"t s4096 n9999 ./a +x s9999 ./b", randomLines(6, 150000)}, {"s4096 n9999 ./d", randomLines(7, 150000)}, {"t s65536 ./d", randomLines(8, 300000)}, {"s4096 n9999 ./d", numberedLines(1000, 511)}, {"s4096 n9999 ./d", numberedLines(1000, 512)}, {"s4096 n9999 ./d", numberedLines(200, 1999)}, {"t s4096 n9999 ./d", numberedLines(200, 2001)},
		{"t s4096 n9999 ./d", numberedLines(100, 4100)}, {"s4096 n9999 ./d", numberedLines(700, 1000)}, {"t s4096 n9999 ./d", numberedLines(700, 974)},
		// Processors.
		{"s4096|!cat|./d", numberedLines(100, 90)}, {"s4096|!tr a-z A-Z|n3|./d", numberedLines(300, 90)}, {"s4096|!cat >/dev/null|n9|./d", numberedLines(300, 90)}, {"s4096 ! ./d", numberedLines(100, 90)}, {"!exit 1|./d", words},
		{"s4096|!(cat <&4; wc -l) | tee /dev/fd/5|n99|./d", numberedLines(400, 90)}, {"s4096|!echo to stderr >&2; head -n 1; ls >&5|./d", numberedLines(100, 90)}, {"s4096|!pwd; ls -a; ls /proc/self/fd; umask|./d", numberedLines(60, 90)},
		{"s4096|!trap|./d", numberedLines(60, 90)}, {"s4096|!echo $0 $# $A; env \\| sort|n5|./d", numberedLines(60, 90)}, {"s4096|!cat|./a|n4|./b|!sort -r|./c", numberedLines(200, 90)}, {"s4096|!grep -v '[02468] x' ; true|n4|./d", numberedLines(200, 90)},
		{"s4096|!a=1|./d", numberedLines(60, 90)}, {"s4096|!cd /; exec cat|./d", numberedLines(60, 90)}, {"s4096|!nice cat|./d", numberedLines(60, 90)}, {"s4096|!grep -E 'Sig(Blk\\|Ign\\|Cgt)' /proc/self/status|./d", numberedLines(60, 90)},
	} {
		args := strings.Fields(c.script)
		if strings.Contains(c.script, "|") {
			args = strings.Split(strings.ReplaceAll(c.script, `\|`, "\x01"), "|")
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "\x01", "|")
			}
		}
		difftest.Compare(t, difftest.Case{Tool: "multilog", Args: args, Stdin: c.stdin, Env: []string{"A=a"}}, "daemontools")
	}
}

// TestMultilogEnvironment compares runs with existing files, as other users, and
// with closed standard streams.
func TestMultilogEnvironment(t *testing.T) {
	lines := numberedLines(100, 90)
	closed := func(n int) func(*exec.Cmd) {
		return func(cmd *exec.Cmd) {
			// Package exec cannot start a program with a closed descriptor: use a
			// shell, with the name of our tool as argument.
			command := []string{cmd.Path}
			if cmd.Path == difftest.Binary() {
				command = append(command, "multilog")
			}
			cmd.Args = append(append([]string{"sh", "-c", `exec "$0" "$@" ` + strconv.Itoa(n) + `<&-`}, command...), cmd.Args[1:]...)
			cmd.Path = "/bin/sh"
		}
	}
	for _, c := range []difftest.Case{
		{Args: []string{"./d"}, Files: map[string]string{"d": "a file"}},
		{Args: []string{"./d"}, Files: map[string]string{"d@": "nowhere"}},
		{Args: []string{"./d"}, Files: map[string]string{"e/": "", "d@": "e"}},
		{Args: []string{"./d"}, Files: map[string]string{"d/lock/": ""}},
		{Args: []string{"./d"}, Files: map[string]string{"d/state/": ""}},
		{Args: []string{"./d"}, Files: map[string]string{"d/current/": ""}},
		{Args: []string{"./d", "=s"}, Files: map[string]string{"s/": ""}},
		{Args: []string{"=s"}, Files: map[string]string{"s": strings.Repeat("before ", 400)}},
		{Args: []string{"=s"}, Files: map[string]string{"s@": "t", "t": ""}},
		{Args: []string{"=s"}, Setup: func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "s"), 0o600) }},
		{Args: []string{"./d", "s4096", "n3"}, Files: map[string]string{"d/other": "x", "d/@a": "x", "d/@short.s": "y"}},
		{Args: []string{"n3", "s4096", "./d"}, Files: map[string]string{"d/@not.a.label.but.long.enough": "x", "d/@z" + strings.Repeat("z", 30): "y", "d/@A" + strings.Repeat("a", 23): "a"}},
		{Args: []string{"n4", "s4096", "./d"}, Files: map[string]string{"d/@400000003b4a39c23294b13c.s": "1", "d/@400000003b4a39c23294b13c.u": "2", "d/@400000003b4a39c23294b13d.s": "3", "d/@400000003b4a39c23294b13e.x": "4"}},
		{Args: []string{"./d"}, UID: nobody},
		{Args: []string{"./d"}, UID: nobody, Setup: mkdirMode("d", 0o500)},
		{Args: []string{"./d"}, UID: nobody, Setup: mkdirMode("d", 0o600)},
		{Args: []string{"./d"}, UID: nobody, Setup: mkdirMode("d", 0o300)},
		{Args: []string{"./d"}, UID: nobody, Setup: mkdirMode("d", 0)},
		{Args: []string{"./d/e"}, UID: nobody, Setup: mkdirMode("d", 0)},
		{Args: []string{"/root/d"}, UID: nobody},
		{Args: []string{"=/etc/passwd"}, UID: nobody},
		{Args: []string{"./d", "e"}, Before: closed(0)},
		{Args: []string{"./d", "e"}, Before: closed(1)},
		{Args: []string{"./d", "e"}, Before: closed(2)},
		{Args: []string{"./d"}, Before: func(cmd *exec.Cmd) { cmd.Stdin, _ = os.Open("/") }},
		{Args: []string{"s4096", "!cat", "./d"}, Before: closed(0)},
		{Args: []string{"s4096", "!cat", "./d"}, Before: closed(1)},
	} {
		c.Tool = "multilog"
		c.Stdin = lines
		difftest.Compare(t, c, "daemontools")
	}
}

// mkdirMode returns a function that makes a directory with a mode.
func mkdirMode(name string, mode os.FileMode) func(string) error {
	return func(dir string) error {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	}
}

// TestMultilogRecovery starts multilog on every state in which a killed multilog
// can leave a directory, and on many others.
func TestMultilogRecovery(t *testing.T) {
	modes := []os.FileMode{0, 0o644, 0o744, 0o600}
	for _, current := range modes {
		for _, previous := range modes {
			for _, processed := range modes[:3] {
				for _, extra := range []string{"", "newstate", "linked", "empty"} {
					difftest.Compare(t, difftest.Case{
						Tool: "multilog", Args: []string{"t", "s4096", "n3", "!cat", "./d"},
						Stdin: numberedLines(len(extra)*10, 90), // sometimes it rotates afterwards
						Setup: func(dir string) error {
							return makeLeftovers(filepath.Join(dir, "d"), current, previous, processed, extra)
						},
					}, "daemontools")
				}
			}
		}
	}
}

// makeLeftovers makes the directory of a killed multilog. A mode of 0 means that
// the file does not exist.
func makeLeftovers(dir string, current, previous, processed os.FileMode, extra string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		mode os.FileMode
	}{{"current", current}, {"previous", previous}, {"processed", processed}, {"state", 0o644}, {"newstate", 0o644}, {"@400000003b4a39c23294b13c.s", 0o744}} {
		if f.mode == 0 || f.name == "newstate" && extra != f.name {
			continue
		}
		text := f.name + "\n"
		if extra == "empty" {
			text = ""
		}
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
		if err := os.Chmod(path, f.mode); err != nil {
			return err
		}
		if extra == "linked" && f.name[0] == 'p' {
			if err := os.Link(path, filepath.Join(dir, "@400000003b4a39c232950000."+f.name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestMultilogManyReads writes to multilog through a pipe, in writes of many sizes:
// all lines must be in the files, whole and in order.
func TestMultilogManyReads(t *testing.T) {
	for _, size := range []int{1, 7, 100, 1000, 1024, 4096, 10000, 65536, 300000} {
		input := randomLines(uint64(size), min(300000, 3000*size))
		cmd := exec.Command(difftest.Binary(), "multilog", "s4096", "n99999", "./d")
		cmd.Dir = t.TempDir()
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for rest := []byte(input); len(rest) > 0; {
			n := min(size, len(rest))
			if _, err := in.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		if got := readLog(t, filepath.Join(cmd.Dir, "d"), 4096); !bytes.Equal(got, []byte(strings.TrimSuffix(input, "\n")+"\n")) {
			t.Errorf("writes of %d bytes: %d bytes of %d came out", size, len(got), len(input))
		}
	}
}

// readLog returns the contents of all files of a log directory, in order. It checks
// the size and the end of each file.
func readLog(t *testing.T, dir string, size int) (all []byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "@*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, filepath.Join(dir, "current")) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > size {
			t.Errorf("%s has %d bytes", name, len(b))
		}
		if i := bytes.LastIndexByte(b, '\n'); len(b) > 0 && i != len(b)-1 && len(b)-i <= 2000 {
			t.Errorf("%s does not end at a newline: it has one %d bytes before", name, len(b)-i)
		}
		all = append(all, b...)
	}
	return all
}
