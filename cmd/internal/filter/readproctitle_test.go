package filter

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"svinit/cmd/internal/difftest"
)

func TestReadproctitleExit(t *testing.T) {
	for name, c := range map[string]difftest.Case{
		"no arguments":    {},
		"empty":           {Args: []string{""}},
		"one byte":        {Args: []string{"."}},
		"four":            {Args: []string{"1234"}},
		"the last counts": {Args: []string{"123456789", "1234"}},
		"five":            {Args: []string{"12345"}},
		"five, input":     {Args: []string{"12345"}, Stdin: "some text\n"},
		"options":         {Args: []string{"-x", "--help"}, Stdin: "some text\n"},
		"more input":      {Args: []string{"service", "errors:", strings.Repeat(".", 400)}, Stdin: long},
		"NULs":            {Args: []string{"12345"}, Stdin: strings.Repeat("\x00", 100000)},
		"a long argument": {Args: []string{strings.Repeat(".", 100000)}, Stdin: long},
		"a directory":     {Args: []string{"12345"}, Before: stdinFrom(t, "/")},
		"a device":        {Args: []string{"12345"}, Before: stdinFrom(t, "/dev/null")},
		"write only":      {Args: []string{"12345"}, Before: viaShell("0>/dev/null")},
		"closed":          {Args: []string{"12345"}, Before: viaShell("<&-"), Differs: "closed-stream"},
		"closed, wrong":   {Args: []string{"1234"}, Before: viaShell("<&-")},
		"closed output":   {Args: []string{"12345"}, Before: viaShell(">&- 2>&-")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Tool = "readproctitle"
			difftest.Compare(t, c, "daemontools")
		})
	}
}

// TestReadproctitle compares the cmdline of both programs for the same input.
func TestReadproctitle(t *testing.T) {
	real := difftest.Real(t, "readproctitle", "daemontools")
	for i, c := range []struct {
		title string
		input []string // a write each
		shown string
	}{
		{"12345", nil, "....."},
		{"12345", []string{"a"}, "....a"},
		{"12345", []string{"ab"}, "...ab"},
		{"12345", []string{"abc"}, "...bc"},
		{"12345", []string{"a", "b", "c"}, "...bc"},
		{"1234567", []string{"ab"}, ".....ab"},
		{"1234567", []string{"ab", "cd"}, "...abcd"},
		{"1234567", []string{"ab", "cde"}, "...bcde"},
		{"1234567", []string{"a\nb\n"}, "...a\nb\n"},
		{"1234567", []string{"a\x00b\x00\x00c"}, "....abc"},
		{"1234567", []string{"\x00\x00", "a"}, "......a"},
		{"1234567", []string{"\r\t\x1b\xff"}, "...\r\t\x1b\xff"},
		{"1234567", []string{"\x00abcdefghijk\x00"}, "...hijk"},
		{strings.Repeat("x", 400), []string{"svscan: warning\n"}, strings.Repeat(".", 384) + "svscan: warning\n"},
		{strings.Repeat("x", 400), []string{strings.Repeat("0123456789", 5000)}, "..." + strings.Repeat("0123456789", 40)[3:]},
		{strings.Repeat("x", 400), []string{strings.Repeat("\x00", 5000), "y", strings.Repeat("\x00", 5000)}, strings.Repeat(".", 399) + "y"},
		{strings.Repeat("x", 9000), []string{strings.Repeat("0123456789", 1000), "END"}, "..." + strings.Repeat("0123456789", 1000)[10000-8994:] + "END"},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			for _, how := range [][]string{
				{real, "readproctitle"},
				{difftest.Binary(), "readproctitle"},
				{difftest.Binary(), "/some/where/readproctitle"},
				{difftest.Binary(), "svinit", "readproctitle"},
			} {
				cmd := &exec.Cmd{Path: how[0], Args: append(how[1:], "service", "errors:", c.title)}
				in, err := cmd.StdinPipe()
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
				for _, text := range c.input {
					if _, err := in.Write([]byte(text)); err != nil {
						t.Fatal(err)
					}
				}
				want := strings.Join(append(how[1:], "service", "errors:", c.shown), "\x00") + "\x00"
				waitFile(t, fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid), want)
			}
		})
	}
}

// waitFile waits until a file has this content. It polls: the kernel has no event
// for a process that writes to its arguments.
func waitFile(t *testing.T, name, want string) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) == want {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s is %q, want %q", name, got, want)
		}
	}
}
