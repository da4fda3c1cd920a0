package filter

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"svinit/cmd/internal/difftest"
)

// What a rotation is made of. A kill falls on the return from one of these.
const (
	steps = "fsync,renameat,linkat,unlinkat,fchmod,fchmodat"
	// With a processor these would fall on the shell too, and the next pause.
	andOpening = ",openat"
)

// TestMultilogKilled kills multilog a thousand times, at every system call of
// its rotations and of its recoveries, and starts it again on what it left.
// After each kill the files hold a beginning of what it was given, with no line
// missing, torn, or there twice, and they still hold it at the end.
func TestMultilogKilled(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is missing: apt-get install strace")
	}
	var all sync.WaitGroup
	for _, c := range []struct {
		calls  string
		script []string
		kills  int
	}{
		{steps + andOpening, []string{"s4096", "n999999", "./d"}, 500},
		{steps, []string{"s4096", "n999999", "!cat; cat <&4 >&5; echo x >&5", "./d"}, 500},
	} {
		all.Go(func() {
			deaths := 0
			run := 0
			for deaths < c.kills && run < 4*c.kills && !t.Failed() {
				// In memory: a thousand rotations are synced. A new directory now
				// and then, since all of it is read after each kill.
				dir, err := os.MkdirTemp("/dev/shm", "multilog")
				if err != nil {
					t.Error(err)
					return
				}
				v := victim{t: t, strace: strace, dir: dir, script: c.script}
				for range 20 {
					if v.run(run, c.calls, run%12+1) {
						deaths++
					}
					run++
				}
				v.run(run, "", 0)
				os.RemoveAll(dir)
			}
			t.Logf("%q: %d kills in %d runs", c.script, deaths, run)
			if deaths < c.kills && !t.Failed() {
				t.Errorf("%q: it was killed %d times only", c.script, deaths)
			}
		})
	}
	all.Wait()
}

// victim is a multilog that is killed, and what its directory should hold.
type victim struct {
	t      *testing.T
	strace string
	dir    string
	script []string
	want   []byte // what was there after the last kill
}

// run gives a multilog some rotations of lines, and kills it at the when-th
// call; 0 is never. It reports whether it was killed.
func (v *victim) run(run int, calls string, when int) bool {
	var input bytes.Buffer
	for i := range 100 {
		fmt.Fprintf(&input, "run %d line %d %s\n", run, i, strings.Repeat("x", i))
	}
	args := append([]string{"multilog"}, v.script...)
	cmd := &exec.Cmd{Path: difftest.Binary(), Args: args, Dir: v.dir, Stdin: &input}
	if when > 0 {
		cmd.Path = v.strace
		cmd.Args = append([]string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + calls,
			"-e", "inject=" + calls + ":signal=KILL:when=" + strconv.Itoa(when), difftest.Binary()}, args...)
	}
	text := bytes.Clone(input.Bytes())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	// strace counts each thread's calls: let there be one that does the work.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	must(v.t, cmd.Start())
	late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	cmd.Wait()
	if !late.Stop() || stderr.Len() > 0 {
		v.t.Errorf("run %d, call %d: %s", run, when, stderr.Bytes())
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	killed := status.Signaled() && status.Signal() == syscall.SIGKILL
	if !killed && status.ExitStatus() != 0 {
		v.t.Errorf("run %d: exit %d", run, status.ExitStatus())
	}
	got := v.holds()
	fresh, ok := bytes.CutPrefix(got, v.want)
	switch {
	case !ok:
		v.t.Errorf("run %d, call %d: what was there before has changed: %d bytes of %d", run, when, len(got), len(v.want))
	case !bytes.HasPrefix(text, fresh):
		v.t.Errorf("run %d, call %d: %q is no beginning of the input", run, when, fresh)
	case !killed && len(fresh) != len(text):
		v.t.Errorf("run %d: %d bytes of %d are there", run, len(fresh), len(text))
	case len(fresh) > 0 && fresh[len(fresh)-1] != '\n':
		v.t.Errorf("run %d, call %d: torn line", run, when)
	}
	v.want = got
	return killed
}

// holds is what is in the directory: the finished files, then what is on its
// way. A file with two links is there once, and what is processed counts when
// it is whole, in the place of previous.
func (v *victim) holds() (all []byte) {
	dir := filepath.Join(v.dir, "d")
	names, err := filepath.Glob(filepath.Join(dir, "@*"))
	must(v.t, err)
	slices.Sort(names)
	var seen []os.FileInfo
	add := func(name string, whole bool) bool {
		fi, err := os.Stat(name)
		if err != nil || whole && fi.Mode()&0o100 == 0 {
			return false
		}
		if slices.ContainsFunc(seen, func(s os.FileInfo) bool { return os.SameFile(s, fi) }) {
			return true
		}
		seen = append(seen, fi)
		b, err := os.ReadFile(name)
		must(v.t, err)
		all = append(all, b...)
		return true
	}
	for _, name := range names {
		add(name, false)
	}
	if !add(filepath.Join(dir, "processed"), true) {
		add(filepath.Join(dir, "previous"), false)
	}
	add(filepath.Join(dir, "current"), false)
	return all
}
