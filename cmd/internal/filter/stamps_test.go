package filter

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"svinit/cmd/internal/difftest"
)

// long is longer than any buffer, huge longer than all buffers together.
var (
	long = strings.Repeat("0123456789abcdef", 300<<10/16)
	huge = strings.Repeat("0123456789abcdef", 10<<20/16)
)

// combine returns a function that calls both.
func combine(one, other func(*exec.Cmd)) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		one(cmd)
		other(cmd)
	}
}

// viaShell has a shell execute the program with a redirection, after the commands
// in before.
func viaShell(redirection string, before ...string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		// A shell cannot set argv[0]: pass the name of our tool as argument.
		name := cmd.Args[0]
		args := cmd.Args[1:]
		script := strings.Join(before, "") + `exec "$0" "$@" ` + redirection
		run := append([]string{cmd.Path}, args...)
		if strings.HasSuffix(cmd.Path, "/svinit") {
			run = append([]string{cmd.Path, name}, args...)
		}
		cmd.Path = "/bin/sh"
		cmd.Args = append([]string{"sh", "-c", script}, run...)
	}
}

// stdinFrom opens a file as the program's standard input.
func stdinFrom(t *testing.T, path string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		cmd.Stdin = f
	}
}

// unreadOutput gives the program a standard output where writes fail with EPIPE.
// It is a socket that has been shut down, and not a pipe with a closed reading
// end: a child of a parallel test, forked but not yet at its exec, may still hold
// that.
func unreadOutput(t *testing.T) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		out, reader := os.NewFile(uintptr(ends[0]), "out"), os.NewFile(uintptr(ends[1]), "reader")
		t.Cleanup(func() {
			out.Close()
			reader.Close()
		})
		if err := syscall.Shutdown(ends[1], syscall.SHUT_RD); err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = out
	}
}

func TestTai64n(t *testing.T) {
	for name, c := range map[string]difftest.Case{
		"empty":               {},
		"a line":              {Stdin: "hello\n"},
		"no newline":          {Stdin: "hello"},
		"no newline at last":  {Stdin: "a\nb"},
		"empty line":          {Stdin: "\n"},
		"empty lines":         {Stdin: strings.Repeat("\n", 3000)},
		"NUL":                 {Stdin: "\x00"},
		"NULs":                {Stdin: "a\x00b\n\x00\n\x00"},
		"CR":                  {Stdin: "a\r\nb\rc\n"},
		"high bytes":          {Stdin: "\xff\xfe\n\x80"},
		"a label":             {Stdin: "@400000000000000a00000000 x\n"},
		"a huge line":         {Stdin: huge + "\n"},
		"long lines":          {Stdin: long + "\n" + long},
		"many lines":          {Stdin: strings.Repeat("a line of text\n", 20000)},
		"arguments":           {Args: []string{"-x", "dir", "--help"}, Stdin: "a\n"},
		"at a buffer's end":   {Stdin: strings.Repeat("x", 1<<16-1) + "\ny\n"},
		"over a buffer's end": {Stdin: strings.Repeat("x", 1<<16) + "\ny\n"},
		"before a buffer":     {Stdin: strings.Repeat("x", 1<<16-2) + "\ny\n"},
		"a directory":         {Before: stdinFrom(t, "/")},
		"a device":            {Before: stdinFrom(t, "/dev/null")},
		"write only":          {Before: viaShell("0>/dev/null"), Stdin: "a\n"},
		"full":                {Before: viaShell(">/dev/full"), Stdin: "a\n"},
		"nothing to full":     {Before: viaShell(">/dev/full")},
		"read only":           {Before: viaShell("1</dev/null"), Stdin: "a\n"},
		"closed input":        {Before: viaShell("<&-"), Differs: "closed-stream"},
		"closed output":       {Before: viaShell(">&-"), Stdin: "a\n", Differs: "closed-stream"},
		"closed, no input":    {Before: viaShell(">&-")},
		"closed errors":       {Before: viaShell("2>&-"), Stdin: "a\n"},
		"closed pipe":         {Before: unreadOutput(t), Stdin: "x\n"},
		"SIGPIPE ignored":     {Before: combine(unreadOutput(t), viaShell("", "trap '' PIPE; ")), Stdin: "x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Tool = "tai64n"
			difftest.Compare(t, c, "daemontools")
		})
	}
}

// label is what tai64n writes for a Unix second.
func label(unix int64, nanos uint32) string {
	return fmt.Sprintf("@%016x%08x", uint64(unix)+1<<62+10, nanos)
}

// diffMalformed is the row of doc/differences.md about labels that crash the
// original.
const diffMalformed = "tai64nlocal-malformed"

var zeroLabel = label(0, 0)

var tai64nlocalCases = map[string]difftest.Case{
	"empty":               {},
	"text":                {Stdin: "hello\n"},
	"no newline":          {Stdin: "hello"},
	"a label":             {Stdin: zeroLabel + " hello\n"},
	"tab after it":        {Stdin: zeroLabel + "\thello\n"},
	"nothing after it":    {Stdin: zeroLabel + "\n"},
	"text without end":    {Stdin: zeroLabel + " x"},
	"the end after it":    {Stdin: zeroLabel},
	"the end inside":      {Stdin: "a\n@40000000"},
	"@ at the end":        {Stdin: "a\n@"},
	"@ in a line":         {Stdin: "a " + zeroLabel + "\n"},
	"space before":        {Stdin: " " + zeroLabel + "\n"},
	"label after label":   {Stdin: zeroLabel + zeroLabel + "\n"},
	"@ after label":       {Stdin: zeroLabel + "@ @\n"},
	"NUL after it":        {Stdin: zeroLabel + "\x00\n\x00" + zeroLabel + "\n"},
	"CR after it":         {Stdin: zeroLabel + "\r\n"},
	"high byte after it":  {Stdin: zeroLabel + "\xff\n"},
	"upper case after it": {Stdin: zeroLabel + "Az\n"},
	"letter after it":     {Stdin: zeroLabel + "g\n"},
	"a digit more":        {Stdin: zeroLabel + "0\n", Differs: diffMalformed},
	"zeros before":        {Stdin: "@0000" + zeroLabel[1:] + " x\n"},
	"ones before":         {Stdin: "@1111" + zeroLabel[1:] + " x\n"},
	"1000 zeros before":   {Stdin: "@" + strings.Repeat("0", 1000) + zeroLabel[1:] + " x\n"},
	"60000 zeros before":  {Stdin: "@" + strings.Repeat("0", 60000) + zeroLabel[1:] + " x\n"},
	"300 KB before":       {Stdin: "@" + strings.Repeat("0", 300<<10) + zeroLabel[1:] + " x\n", Differs: "tai64nlocal-endless"},
	"300 KB of digits":    {Stdin: "@" + long + "\nx\n", Differs: diffMalformed},
	"300 KB at the end":   {Stdin: "x\n@" + long, Differs: "tai64nlocal-endless"},
	"10 MB of text":       {Stdin: zeroLabel + " " + huge + "\n" + zeroLabel + "\n"},
	"300 KB without @":    {Stdin: long + "\n" + long},
	"@ alone":             {Stdin: "@\n", Differs: diffMalformed},
	"@ and text":          {Stdin: "@ hello\n" + zeroLabel + " x\n", Differs: diffMalformed},
	"@ and a name":        {Stdin: "@home\n", Differs: diffMalformed},
	"@@":                  {Stdin: "@" + zeroLabel + " x\n", Differs: diffMalformed},
	"@ and NUL":           {Stdin: "@\x00\n", Differs: diffMalformed},
	"short":               {Stdin: "@4000000000000 x\n", Differs: diffMalformed},
	"a digit short":       {Stdin: zeroLabel[:24] + " x\n", Differs: diffMalformed},
	"upper case":          {Stdin: "@400000000000000A00000000 x\n", Differs: diffMalformed},
	"upper case in nanos": {Stdin: "@400000000000000a0000000A x\n", Differs: diffMalformed},
	"the first moment":    {Stdin: "@000000000000000000000000 x\n", Differs: diffMalformed},
	"the last moment":     {Stdin: "@ffffffffffffffffffffffff x\n", Differs: diffMalformed},
	"the sign's bit":      {Stdin: "@800000000000000a00000000 x\n", Differs: diffMalformed},
	"half of all":         {Stdin: "@7fffffffffffffff00000000 x\n", Differs: diffMalformed},
	"half and one":        {Stdin: "@c00000000000000900000000 x\n", Differs: diffMalformed},
	"nanos":               {Stdin: label(1, 1) + "\n" + label(1, 999999999) + "\n"},
	"many nanos":          {Stdin: label(1, 1000000000) + "\n" + label(1, 1<<32-1) + "\n"},
	"before 1970":         {Stdin: label(-1, 5) + "\n" + label(-86400, 0) + "\n" + label(-86401, 0) + "\n"},
	"year 0":              {Stdin: label(-62167219200, 0) + "\n" + label(-62167219201, 0) + "\n"},
	"year 9999":           {Stdin: label(253402300799, 0) + "\n" + label(253402300800, 0) + "\n"},
	"year -1000":          {Stdin: label(-93724128000, 0) + "\n"},
	"32 bits":             {Stdin: label(1<<31-1, 0) + "\n" + label(1<<31, 0) + "\n" + label(1<<32, 0) + "\n"},
	"the last year":       {Stdin: "@40f0c2ab7c54a98900000001 x\n"},
	"after it":            {Stdin: "@40f0c2ab7c54a98a00000001 x\n", Differs: diffMalformed},
	"the first year":      {Stdin: "@3f0f3d537c55080a00000001 x\n"},
	"before it":           {Stdin: "@3f0f3d537c55080900000001 x\n", Differs: diffMalformed},
	"years over an int":   {Stdin: "@40f0c29d84aaca0a00000001\n@40f0c29d868bfd8a00000001\n@3f0f3d537e378d0a00000001\n"},
	"leap days":           {Stdin: label(951782400, 0) + "\n" + label(951868800, 0) + "\n" + label(4107542400, 0) + "\n" + label(68169600, 0) + "\n"},
	"a leap second":       {Stdin: label(1483228799, 0) + "\n" + label(1483228800, 0) + "\n"},
	"a log":               {Stdin: labelledLines(1700000000, 977, 3000)},
	"a log, backwards":    {Stdin: labelledLines(1700000000, -86399, 3000)},
	"arguments":           {Args: []string{"-h", "x"}, Stdin: zeroLabel + " x\n"},
	"at a buffer's end":   {Stdin: strings.Repeat("x", 1<<16-10) + "\n" + zeroLabel + " x\n"},
	"at another's end":    {Stdin: strings.Repeat("x", 1<<16-26) + "\n" + zeroLabel + "\n" + zeroLabel + "\n"},
}

func TestTai64nlocal(t *testing.T) {
	for name, c := range tai64nlocalCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Tool, c.Env = "tai64nlocal", []string{"TZ=UTC"}
			theirs, ours := difftest.Compare(t, c, "daemontools")
			if c.Differs != diffMalformed {
				return
			}
			if theirs.Killed != "segmentation fault" {
				t.Errorf("theirs: %s", theirs)
			}
			want := strings.ReplaceAll("\n"+c.Stdin, "\n"+zeroLabel+" ", "\n1970-01-01 00:00:00.000000000 ")
			if want = difftest.MaskLabels(want[1:]); ours.Code != 0 || ours.Stdout != want {
				t.Errorf("ours: %s", ours)
			}
		})
	}
}

// TestTai64nlocalStreams compares errors of standard input and output.
func TestTai64nlocalStreams(t *testing.T) {
	for name, c := range map[string]difftest.Case{
		"a directory":          {Before: stdinFrom(t, "/")},
		"full":                 {Before: viaShell(">/dev/full"), Stdin: zeroLabel + "\n"},
		"a label to full":      {Before: viaShell(">/dev/full"), Stdin: zeroLabel},
		"write only":           {Before: viaShell("0>/dev/null")},
		"read only":            {Before: viaShell("1</dev/null"), Stdin: "a\n"},
		"closed input":         {Before: viaShell("<&-"), Differs: "closed-stream"},
		"closed output":        {Before: viaShell(">&-"), Stdin: "a\n", Differs: "closed-stream"},
		"closed errors":        {Before: viaShell("2>&-"), Stdin: "a\n"},
		"closed pipe":          {Before: unreadOutput(t), Stdin: "x\n"},
		"closed pipe, a label": {Before: unreadOutput(t), Stdin: zeroLabel + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Tool, c.Env = "tai64nlocal", []string{"TZ=UTC"}
			difftest.Compare(t, c, "daemontools")
		})
	}
}

// labelledLines returns n lines with labels.
func labelledLines(from, step int64, n int) string {
	var b strings.Builder
	for i := range int64(n) {
		fmt.Fprintf(&b, "%s line %d\n", label(from+i*step, uint32(i*1234567)), i)
	}
	return b.String()
}

// TestFlush checks that output is written before the next read, which blocks.
func TestFlush(t *testing.T) {
	for tool, c := range map[string]struct{ in, out string }{
		"tai64n":      {"one\ntw", "@TAI64N one\n@TAI64N tw"},
		"tai64nlocal": {label(0, 0) + " x\n" + label(0, 0) + " y@", "1970-01-01 00:00:00.000000000 x\n1970-01-01 00:00:00.000000000 y@"},
	} {
		in, out := startPiped(t, tool)
		if _, err := io.WriteString(in, c.in); err != nil {
			t.Fatal(err)
		}
		var got string
		b := make([]byte, 1000)
		for difftest.MaskLabels(got) != c.out {
			n, err := out.Read(b)
			got += string(b[:n])
			if err != nil {
				t.Fatalf("%s wrote %q, %v", tool, got, err)
			}
		}
	}
}

// startPiped starts our tool between two pipes.
func startPiped(t *testing.T, tool string) (io.Writer, io.Reader) {
	t.Helper()
	cmd := exec.Command(difftest.Binary(), tool)
	cmd.Env = []string{"TZ=UTC"}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return in, out
}
