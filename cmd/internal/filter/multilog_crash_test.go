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

// The system calls of a rotation. strace kills multilog when one returns.
const (
	rotationCalls = "fsync,renameat,linkat,unlinkat,fchmod,fchmodat"
	// Not with a processor: its shell calls openat too, and would be killed.
	plusOpen = ",openat"
)

// TestMultilogKilled has strace kill multilog at system calls of its rotations and
// recoveries, and starts it again on the same directory (logdir's tests do this a
// thousand times more). After each kill the files hold a prefix of the input, in
// which no line is missing, incomplete or duplicated, and later runs keep it.
func TestMultilogKilled(t *testing.T) {
	t.Setenv("TMPDIR", "/dev/shm")
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
		{rotationCalls + plusOpen, []string{"s4096", "n999999", "./d"}, 60},
		{rotationCalls, []string{"s4096", "n999999", "!cat; cat <&4 >&5; echo x >&5", "./d"}, 60},
	} {
		all.Go(func() {
			deaths := 0
			run := 0
			for deaths < c.kills && run < 4*c.kills && !t.Failed() {
				// In memory, because of a thousand fsyncs. A new directory every 20
				// runs, because all of it is read after each kill.
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
				t.Errorf("%q: it was killed only %d times", c.script, deaths)
			}
		})
	}
	all.Wait()
}

// victim is a multilog that is killed, with the expected contents of its directory.
type victim struct {
	t      *testing.T
	strace string
	dir    string
	script []string
	want   []byte // the contents after the last run
}

// run has multilog write lines for some rotations, and kills it at the when-th of
// the calls; 0 is never. It reports whether it was killed.
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
	// strace counts the calls of each thread: make one thread do the work.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	must(v.t, cmd.Start())
	timeout := time.AfterFunc(testTimeout, func() { cmd.Process.Kill() })
	cmd.Wait()
	if !timeout.Stop() || stderr.Len() > 0 {
		v.t.Errorf("run %d, call %d: %s", run, when, stderr.Bytes())
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	killed := status.Signaled() && status.Signal() == syscall.SIGKILL
	if !killed && status.ExitStatus() != 0 {
		v.t.Errorf("run %d: exit %d", run, status.ExitStatus())
	}
	got := v.logContents()
	fresh, ok := bytes.CutPrefix(got, v.want)
	switch {
	case !ok:
		v.t.Errorf("run %d, call %d: what was there before has changed: %d bytes of %d", run, when, len(got), len(v.want))
	case !bytes.HasPrefix(text, fresh):
		v.t.Errorf("run %d, call %d: %q is not a prefix of the input", run, when, fresh)
	case !killed && len(fresh) != len(text):
		v.t.Errorf("run %d: %d bytes of %d are there", run, len(fresh), len(text))
	case len(fresh) > 0 && fresh[len(fresh)-1] != '\n':
		v.t.Errorf("run %d, call %d: torn line", run, when)
	}
	v.want = got
	return killed
}

// logContents returns what is in the directory: the finished files, then those of a
// rotation in progress. A file with two links counts once; processed replaces
// previous once it is complete.
func (v *victim) logContents() (all []byte) {
	dir := filepath.Join(v.dir, "d")
	names, err := filepath.Glob(filepath.Join(dir, "@*"))
	must(v.t, err)
	slices.Sort(names)
	var seen []os.FileInfo
	add := func(name string, onlyComplete bool) bool {
		fi, err := os.Stat(name)
		if err != nil || onlyComplete && fi.Mode()&0o100 == 0 {
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
