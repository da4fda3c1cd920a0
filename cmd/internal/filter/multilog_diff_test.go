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

// nobody is a user who may do nothing.
const nobody = 65534

// numbered is n lines of about size bytes.
func numbered(n, size int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("line " + strconv.Itoa(i) + " ")
		b.WriteString(strings.Repeat("x", size-8) + "\n")
	}
	return b.String()
}

// around is lines of the lengths at which something changes: the limits of
// patterns, of e, of the small buffers, each a byte less and a byte more.
func around() string {
	var b strings.Builder
	for _, edge := range []int{0, 174, 200, 226, 486, 512, 974, 1000, 1024, 2000, 4096, 8192} {
		for n := max(0, edge-2); n <= edge+2; n++ {
			b.WriteString(strings.Repeat(strconv.Itoa(n)+".", n/4+1)[:n] + "\n")
		}
	}
	return b.String()
}

// anything is lines of random lengths, many of them of the limits.
func anything(seed uint64, size int) string {
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

// TestMultilogLikeTheOriginal is what a script does to lines.
func TestMultilogLikeTheOriginal(t *testing.T) {
	words := "start\nfatal: disk\nwarning: x\n\nfatal:\nend fatal: no\nfatal\n*\na*b\n"
	for _, c := range []struct {
		script string // words, or with separator | when it has one
		stdin  string
	}{
		// Nothing to do, and what is no action.
		{"", words}, {"t", words}, {"x", words}, {"T ./d", words}, {"E ./d", words}, {"-h", words}, {"--help", words}, {"||./d", words},
		{"./d t", words}, {"x t ./d", words}, {"# ./d", words}, {"~ ./d", words}, {"d", words}, {"tail ./d", words}, {"t5 ./d", words},
		// Inputs.
		{"./d", ""}, {"t ./d", ""}, {"./d", "\n"}, {"t ./d", "\n"}, {"./d", "\n\n\n"}, {"./d", "no end"}, {"t ./d", "no end"}, {"e", "no end"},
		{"./d", "nul\x00in\x00it\n\x00\n"}, {"e t", "nul\x00\n"}, {"./d e =s", "\xff\xfe\r\n\t\x1b[m\n"}, {"=s", "nul\x00\n"}, {"./d", "\x00"},
		{"./d e", around()}, {"t ./d e", around()}, {"t ./d e =s", around() + "end"}, {"./d", strings.Repeat("z", 100000)}, {"t s4096 n99 ./d", strings.Repeat("z", 100000)},
		{"./d", strings.Repeat("\n", 70000)}, {"t s4096 n999 ./d", strings.Repeat("\n", 5000)}, {"s4096 n99 ./d", strings.Repeat("y", 1000) + "\n" + strings.Repeat("z", 30000) + "\n" + numbered(100, 90)},
		// Patterns.
		{"-* ./d", words}, {"+* ./d", words}, {"-* +* ./d", words}, {"-*|+fatal: *|./d", words}, {"-*|+*fatal:*|./d", words}, {"-fatal ./d", words},
		{"-fatal* ./d", words}, {"-*fatal ./d", words}, {"-*l ./d", words}, {"-** ./d", words}, {"-a** ./d", words}, {"-a*** ./d", words}, {"-***b ./d", words},
		{"-|./d", words}, {"- ./d", words}, {"+ ./d", words}, {"-* + ./d", words}, {"-*a*b ./d", "ab\nxab\naxb\naab\nabb\nba\n"}, {"-*aab ./d", "aab\naaab\nxaab\n"},
		{"-* +f* -*k ./d", words}, {"+x -s* +start ./d", words}, {"-e* ./a +e* ./b -f* ./c", words}, {"t|-@* f*|./d", words}, {"t -f* ./d", words}, {"t -*|+@* *|./d", words},
		{"t|-*|+@*:*|./d", words}, {"-* +*z ./d", strings.Repeat("y", 999) + "z\n" + strings.Repeat("y", 1000) + "z\n" + strings.Repeat("y", 998) + "z\n"},
		{"t -* +*z ./d", strings.Repeat("y", 973) + "z\n" + strings.Repeat("y", 974) + "z\n"}, {"-\n ./d", words}, {"-\xff* ./d", "\xff\n\xfe\n"},
		// Standard error.
		{"e", words}, {"t e", words}, {"e e", words}, {"error", words}, {"-f* e", words}, {"e -f* ./d e", words}, {"t e ./d", numbered(20, 250)}, {"-* e", words},
		// Status files.
		{"=s", words}, {"t =s", words}, {"=s", "no end"}, {"=s", ""}, {"=s =s", words}, {"=a -f* =b", words}, {"=s", around()}, {"-* =s", words}, {"=/dev/null", words}, {"=./x ./d", words},
		{"=s", "long long long\nshort\n"}, {"=s", "short\n\n"}, {"=", words}, {"=no/such", words}, {"=s/", words}, {"=. ./d", words}, {"./d =no/such", words}, {"=" + strings.Repeat("n", 300), words},
		// Directories.
		{"./a ./b ./c", words}, {"./a ./a", words}, {"./a .//a", words}, {".", words}, {"./", words}, {"..../a", words}, {"./no/such", words}, {"./a ./no/such ./c", words}, {".x", words}, {"/dev/null", words}, {"/proc/self/x", words},
		{"./" + strings.Repeat("n", 300), words}, {"/dev/null/x ./d", words}, {"./d/../e", words},
		// Numbers.
		{"s4096 n5 ./d", numbered(300, 100)}, {"s0 n5 ./d", numbered(300, 100)}, {"s n ./d", numbered(300, 100)}, {"s5000x n3x ./d", numbered(300, 100)}, {"s-1 n-1 ./d", numbered(300, 100)},
		{"s4095 ./d", numbered(300, 100)}, {"s4097 ./d", numbered(300, 100)}, {"s6096 n2 ./d", numbered(300, 100)}, {"s18446744073709555712 n18446744073709551619 ./d", numbered(300, 100)},
		{"s99999999999999999999999 ./d", numbered(3000, 100)}, {"s16777215 ./d", numbered(3000, 100)}, {"s16777216 ./d", numbered(300, 100)}, {"n0 s4096 ./d", numbered(200, 90)}, {"n1 s4096 ./d", numbered(200, 90)},
		{"n2 s4096 ./d", numbered(200, 90)}, {"n4294967299 s4096 ./d", numbered(500, 90)}, {"s4096 ./a s8192 ./b n3 ./c", numbered(500, 90)}, {"./d s4096 n2", numbered(300, 90)}, {"s04100 n03 ./d", numbered(300, 90)}, {"s+4096 ./d", numbered(1100, 90)},
		{"s0x2000 n3 ./d", numbered(300, 90)}, {"./d", numbered(1100, 90)}, {"t ./d", numbered(2000, 90)}, {"n3 ./d", numbered(8000, 90)}, {"t s1000000 n10 ./d", numbered(30000, 100)},
		// Where files end.
		{"s4096 n9999 ./d", around() + around()}, {"t s4096 n9999 ./d", around() + around()}, {"s4096 n9999 -*7* ./d", around() + around()}, {"s4096 n999 ./a -*a* s5000 ./b t ./c", anything(1, 60000)},
		{"s4096 n9999 ./d", anything(2, 80000)}, {"t s4096 n9999 ./d", anything(3, 80000)}, {"s7777 n9999 ./d", anything(4, 80000)}, {"t s7777 n9999 ./d", anything(5, 200000) + "end"},
		{"t s4096 n9999 ./a +x s9999 ./b", anything(6, 150000)}, {"s4096 n9999 ./d", anything(7, 150000)}, {"t s65536 ./d", anything(8, 300000)}, {"s4096 n9999 ./d", numbered(1000, 511)}, {"s4096 n9999 ./d", numbered(1000, 512)}, {"s4096 n9999 ./d", numbered(200, 1999)}, {"t s4096 n9999 ./d", numbered(200, 2001)},
		{"t s4096 n9999 ./d", numbered(100, 4100)}, {"s4096 n9999 ./d", numbered(700, 1000)}, {"t s4096 n9999 ./d", numbered(700, 974)},
		// Processors.
		{"s4096|!cat|./d", numbered(100, 90)}, {"s4096|!tr a-z A-Z|n3|./d", numbered(300, 90)}, {"s4096|!cat >/dev/null|n9|./d", numbered(300, 90)}, {"s4096 ! ./d", numbered(100, 90)}, {"!exit 1|./d", words},
		{"s4096|!(cat <&4; wc -l) | tee /dev/fd/5|n99|./d", numbered(400, 90)}, {"s4096|!echo to stderr >&2; head -n 1; ls >&5|./d", numbered(100, 90)}, {"s4096|!pwd; ls -a; ls /proc/self/fd; umask|./d", numbered(60, 90)},
		{"s4096|!trap|./d", numbered(60, 90)}, {"s4096|!echo $0 $# $A; env \\| sort|n5|./d", numbered(60, 90)}, {"s4096|!cat|./a|n4|./b|!sort -r|./c", numbered(200, 90)}, {"s4096|!grep -v '[02468] x' ; true|n4|./d", numbered(200, 90)},
		{"s4096|!a=1|./d", numbered(60, 90)}, {"s4096|!cd /; exec cat|./d", numbered(60, 90)}, {"s4096|!nice cat|./d", numbered(60, 90)}, {"s4096|!grep -E 'Sig(Blk\\|Ign\\|Cgt)' /proc/self/status|./d", numbered(60, 90)},
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

// TestMultilogElsewhere is what is around the script: files that are there
// before, users, streams.
func TestMultilogElsewhere(t *testing.T) {
	lines := numbered(100, 90)
	closed := func(n int) func(*exec.Cmd) {
		return func(cmd *exec.Cmd) {
			// A shell closes it, since package exec cannot. Ours needs its name then.
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
		{Args: []string{"./d"}, UID: nobody, Setup: private("d", 0o500)},
		{Args: []string{"./d"}, UID: nobody, Setup: private("d", 0o600)},
		{Args: []string{"./d"}, UID: nobody, Setup: private("d", 0o300)},
		{Args: []string{"./d"}, UID: nobody, Setup: private("d", 0)},
		{Args: []string{"./d/e"}, UID: nobody, Setup: private("d", 0)},
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

// private makes a directory of the user nobody with a mode.
func private(name string, mode os.FileMode) func(string) error {
	return func(dir string) error {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	}
}

// TestMultilogRecovery has every state in which a killed multilog can leave a
// directory, and many in which it cannot.
func TestMultilogRecovery(t *testing.T) {
	modes := []os.FileMode{0, 0o644, 0o744, 0o600}
	for _, current := range modes {
		for _, previous := range modes {
			for _, processed := range modes[:3] {
				for _, extra := range []string{"", "newstate", "linked", "empty"} {
					difftest.Compare(t, difftest.Case{
						Tool: "multilog", Args: []string{"t", "s4096", "n3", "!cat", "./d"},
						Stdin: numbered(len(extra)*10, 90), // sometimes it rotates afterwards
						Setup: func(dir string) error { return left(filepath.Join(dir, "d"), current, previous, processed, extra) },
					}, "daemontools")
				}
			}
		}
	}
}

// left makes what a killed multilog has left: a mode of 0 is no file.
func left(dir string, current, previous, processed os.FileMode, extra string) error {
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

// TestMultilogManyReads gives both the same input through a pipe, in writes of
// every size: the files may end elsewhere, but no line may.
func TestMultilogManyReads(t *testing.T) {
	for _, size := range []int{1, 7, 100, 1000, 1024, 4096, 10000, 65536, 300000} {
		input := anything(uint64(size), min(300000, 3000*size))
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
		if got := contents(t, filepath.Join(cmd.Dir, "d"), 4096); !bytes.Equal(got, []byte(strings.TrimSuffix(input, "\n")+"\n")) {
			t.Errorf("writes of %d bytes: %d bytes of %d came out", size, len(got), len(input))
		}
	}
}

// contents is what is in all files of a log directory, in their order, after
// a look at each one's size and end.
func contents(t *testing.T, dir string, size int) (all []byte) {
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
