package logdir

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestKilled stops a thousand times between two steps of a rotation or of the
// recovery that follows, as a kill would: what was opened is closed, and nothing
// else happens. No line that was on its way to a file is lost or there twice.
func TestKilled(t *testing.T) {
	t.Setenv("TMPDIR", "/dev/shm") // thousands of files are synced
	defer func() { step = nil }()
	cat := "cat; echo x >&5"
	for _, processor := range []*string{nil, &cat} {
		kills := 850 // the other costs a process each time
		if processor != nil {
			kills = 150
		}
		for killed, run := 0, 0; killed < kills; run++ {
			dir := filepath.Join(t.TempDir(), "d")
			var want []byte
			for life := range 8 {
				n := (run*8+life)%67 + 1
				died, input := live(t, dir, processor, n, life)
				if died {
					killed++
				}
				got := holds(t, dir)
				fresh, ok := bytes.CutPrefix(got, want)
				if !ok || !bytes.HasPrefix(input, fresh) || !died && len(fresh) != len(input) {
					t.Fatalf("step %d, killed %v: %d bytes after %d, of %d more", n, died, len(got), len(want), len(input))
				}
				want = got
			}
			if _, input := live(t, dir, processor, 1<<30, 8); !bytes.Equal(holds(t, dir), append(want, input...)) {
				t.Fatal("the last one has changed what was there")
			}
			for _, name := range []string{"previous", "processed", "newstate"} {
				if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
					t.Errorf("%s is left", name)
				}
			}
		}
	}
}

// live is the life of one writer, to its n-th step.
func live(t *testing.T, dir string, processor *string, n, life int) (died bool, input []byte) {
	for i := range 60 {
		input = fmt.Appendf(input, "life %d line %d %s\n", life, i, strings.Repeat("x", i))
	}
	step = func() {
		if n--; n == 0 {
			panic("killed")
		}
	}
	defer func() {
		step = nil
		if r := recover(); r != nil {
			if r != "killed" {
				panic(r)
			}
			died = true
			release(t, dir)
		}
	}()
	d, err := Open(dir, Config{Size: MinSize, Keep: 1000, Processor: processor, Environ: os.Environ(), Pause: never(t)})
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(input) {
		d.Put(line[:len(line)-1])
		d.Rest(line[len(line)-1:])
		if len(line)%5 == 0 {
			d.Flush()
		}
	}
	d.Close()
	return false, input
}

// release closes what is open in dir, as the end of a process does.
func release(t *testing.T, dir string) {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if target, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(target, dir) {
			n, _ := strconv.Atoi(fd.Name())
			unix.Close(n)
		}
	}
}

// holds is what is in the directory: the finished files, then what is on its
// way. A file with two links is there once; what is processed counts when it
// is whole, in the place of previous.
func holds(t *testing.T, dir string) (all []byte) {
	var seen []os.FileInfo
	add := func(name string, whole bool) bool {
		fi, err := os.Stat(name)
		if err != nil || whole && fi.Mode()&0o100 == 0 {
			return false
		}
		if !slices.ContainsFunc(seen, func(s os.FileInfo) bool { return os.SameFile(s, fi) }) {
			seen = append(seen, fi)
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		return true
	}
	for _, name := range finished(t, dir) {
		add(name, false)
	}
	if !add(filepath.Join(dir, "processed"), true) {
		add(filepath.Join(dir, "previous"), false)
	}
	add(filepath.Join(dir, "current"), false)
	return all
}
