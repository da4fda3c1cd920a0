package logdir

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func open(t *testing.T, c Config) (*Dir, string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "d")
	d, err := Open(name, c)
	if err != nil {
		t.Fatal(err)
	}
	return d, name
}

// never is a Pause for a directory without errors.
func never(t *testing.T) func(string, error) bool {
	return func(what string, err error) bool { t.Errorf("%s: %v", what, err); return false }
}

func finished(t *testing.T, name string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(name, "@*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// TestNames: rotations in the same nanosecond, or while the clock stands still,
// have different names.
func TestNames(t *testing.T) {
	d, name := open(t, Config{Size: MinSize, Keep: 1000, Pause: never(t)})
	for range 100 {
		d.named = 1 << 62 // later than any clock
		d.Put([]byte("x"))
		d.Rest([]byte("\n"))
		d.Flush()
		d.Rotate()
	}
	if n := len(finished(t, name)); n != 100 {
		t.Errorf("%d files", n)
	}
	if lost, err := d.Close(); lost != 0 || err != nil {
		t.Error(lost, err)
	}
}

// TestGivenUp: after Pause has given up on a rotation, lines still go to a file.
func TestGivenUp(t *testing.T) {
	for _, block := range []string{"previous", "nothing"} {
		asked := 0
		d, name := open(t, Config{Size: MinSize, Keep: 10, Pause: func(string, error) bool { asked++; return false }})
		text := []byte(strings.Repeat("0123456789abcdef\n", 400))
		if block == "previous" { // rename cannot replace a directory
			if err := os.MkdirAll(filepath.Join(name, block, "x"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for line := range bytes.Lines(text) {
			d.Put(line)
		}
		if lost, err := d.Close(); lost != 0 || err != nil {
			t.Error(lost, err)
		}
		if block != "previous" {
			continue
		}
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		if b, _ := os.ReadFile(filepath.Join(name, "current")); !bytes.Equal(b, text) {
			t.Errorf("%d bytes of %d", len(b), len(text))
		}
		if fi, _ := os.Stat(filepath.Join(name, "current")); fi.Mode() != 0o644 {
			t.Errorf("current is marked as after a clean close: %v", fi.Mode())
		}
	}
}

// TestLost: what cannot be written is counted to the byte.
func TestLost(t *testing.T) {
	d, _ := open(t, Config{Size: MaxSize, Keep: 10, Pause: func(string, error) bool { return false }})
	full, err := unix.Open("/dev/full", unix.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(d.current)
	d.current = full
	for range 3000 {
		d.Put(make([]byte, 99))
		d.Rest([]byte("\n"))
	}
	if lost, err := d.Close(); lost != 300000 || !errors.Is(err, unix.ENOSPC) {
		t.Error(lost, err)
	}
}

// FuzzCuts writes pieces of any length: the files have the bytes of the input,
// none is larger than Size, and none ends within a line that could be whole.
func FuzzCuts(f *testing.F) {
	f.Add([]byte("\x01\x10\xff\x20abc"), uint16(0))
	f.Add(bytes.Repeat([]byte{250, 7}, 300), uint16(100))
	f.Fuzz(func(t *testing.T, script []byte, more uint16) {
		size := MinSize + int(more)%5000
		d, name := open(t, Config{Size: size, Keep: 1 << 40, Pause: never(t)})
		var want []byte
		for i, b := range script {
			line := bytes.Repeat([]byte{'a' + byte(i%26)}, int(b)*int(b)/20)
			want = append(want, line...)
			d.Put(line[:min(len(line), 1000)])
			d.Rest(line[min(len(line), 1000):])
			if b%8 != 0 {
				want = append(want, '\n')
				d.Rest([]byte{'\n'})
			}
			switch b % 5 {
			case 0:
				d.Settle()
			case 1:
				d.Flush()
			}
		}
		d.Close()
		var got []byte
		for _, file := range append(finished(t, name), filepath.Join(name, "current")) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if i := bytes.LastIndexByte(b, '\n'); len(b) > size || filepath.Base(file) != "current" && len(b)-i > 1 && i >= 0 && len(b)-i <= tail {
				t.Errorf("%d bytes of at most %d, the last newline at %d", len(b), size, i)
			}
			got = append(got, b...)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes of %d", len(got), len(want))
		}
	})
}

// TestNoGarbage: a line needs no allocation.
func TestNoGarbage(t *testing.T) {
	d, _ := open(t, Config{Size: MaxSize, Keep: 10, Pause: never(t)})
	line, end := bytes.Repeat([]byte("x"), 126), []byte("\n")
	if n := testing.AllocsPerRun(10000, func() { d.Put(line); d.Rest(end) }); n != 0 {
		t.Errorf("%v allocations a line", n)
	}
	d.Close()
}
