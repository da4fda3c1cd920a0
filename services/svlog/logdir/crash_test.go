package logdir

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// asWriter is the variable that makes this program a writer of the test. Its
// value is the directory, the step at which the writer kills itself, the number
// of its life, and the processor.
const asWriter = "LOGDIR_TEST_WRITER"

func TestMain(m *testing.M) {
	if os.Getenv(asWriter) != "" {
		write(strings.SplitN(os.Getenv(asWriter), "\n", 4))
	}
	os.Exit(m.Run())
}

// TestKilled kills a writer a thousand times, by SIGKILL, between two steps of
// a rotation or of the recovery that follows. No line is lost once it was
// passed to the directory, and none is there twice.
func TestKilled(t *testing.T) {
	t.Setenv("TMPDIR", "/dev/shm") // thousands of files are synced
	cat := "cat; echo x >&5"
	for _, processor := range []*string{nil, &cat} {
		kills := 850 // with a processor each rotation also starts a shell, so fewer
		if processor != nil {
			kills = 150
		}
		for killed, run := 0, 0; killed < kills; run++ {
			dir := filepath.Join(t.TempDir(), "d")
			var want []byte
			for life := range 8 {
				n := (run*8+life)%67 + 1
				died, in := live(t, dir, processor, n, life)
				if died {
					killed++
				}
				got := holds(t, dir)
				fresh, ok := bytes.CutPrefix(got, want)
				if !ok || !bytes.HasPrefix(in, fresh) || !died && len(fresh) != len(in) {
					t.Fatalf("step %d, killed %v: %d bytes after %d, of %d more", n, died, len(got), len(want), len(in))
				}
				want = got
			}
			if _, in := live(t, dir, processor, 1<<30, 8); !bytes.Equal(holds(t, dir), append(want, in...)) {
				t.Fatal("the last writer has changed what was there")
			}
			for _, name := range []string{"previous", "processed", "newstate"} {
				if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
					t.Errorf("%s is left", name)
				}
			}
		}
	}
}

// input is what a writer writes in its life.
func input(life int) (b []byte) {
	for i := range 60 {
		b = fmt.Appendf(b, "life %d line %d %s\n", life, i, strings.Repeat("x", i))
	}
	return b
}

// live runs one writer, which kills itself at its n-th step.
func live(t *testing.T, dir string, processor *string, n, life int) (died bool, in []byte) {
	t.Helper()
	how := fmt.Sprintf("%s\n%d\n%d\n", dir, n, life)
	if processor != nil {
		how += *processor
	}
	cmd := exec.Command("/proc/self/exe")
	// The race detector would sleep a second at every exit.
	cmd.Env = append(os.Environ(), asWriter+"="+how, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	if ws := cmd.ProcessState.Sys().(syscall.WaitStatus); err != nil && ws.Signal() != syscall.SIGKILL {
		t.Fatalf("%v: %s", err, out)
	}
	return err != nil, input(life)
}

// write is the writer.
func write(how []string) {
	n, _ := strconv.Atoi(how[1])
	life, _ := strconv.Atoi(how[2])
	c := Config{Size: MinSize, Keep: 1000, Environ: os.Environ(), Pause: func(what string, err error) bool {
		fmt.Println(what, err)
		os.Exit(1)
		return false
	}}
	if how[3] != "" {
		c.Processor = &how[3]
	}
	step = func() {
		if n--; n == 0 {
			unix.Kill(os.Getpid(), unix.SIGKILL)
			select {}
		}
	}
	d, err := Open(how[0], c)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for line := range bytes.Lines(input(life)) {
		d.Put(line[:len(line)-1])
		d.Rest(line[len(line)-1:])
		if len(line)%5 == 0 {
			d.Flush()
		}
	}
	d.Close()
	os.Exit(0)
}

// holds returns what is in the directory: the finished files, then what a
// rotation has not finished, then current. A file with two links is there once.
// A complete processed takes the place of previous.
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
