package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed c
var sources embed.FS

// options are those of the command line that concern the measurements.
type options struct {
	svinit string // the binary to measure
	old    string // the binary to compare with, or ""
	rounds int    // 0: the default of each measurement
	quick  bool
}

// A bench is what all measurements share: the compiled helpers, the copies of
// svinit, and the options.
type bench struct {
	options
	tmp    string // on tmpfs: helpers and sandboxes, removed by close
	bin    string // on disk: the copies of svinit, removed by close
	svinit *build // nil: the binary is missing
	old    *build // nil: no comparison

	once sync.Once
}

// open compiles the C helpers and copies the svinit binaries.
func open(o options) (_ *bench, err error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("make PID namespaces: run bench as root")
	}
	b := &bench{options: o}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.bin, err = os.MkdirTemp("", "svinit-bench-"); err != nil {
		return nil, err
	}
	// The directory is on tmpfs, so that no disk is measured. The /dev/shm of a
	// Docker container is mounted noexec.
	where := "/dev/shm"
	var st unix.Statfs_t
	if unix.Statfs(where, &st) != nil || st.Flags&unix.ST_NOEXEC != 0 {
		where = ""
	}
	if b.tmp, err = os.MkdirTemp(where, "svinit-bench-"); err != nil {
		return nil, err
	}
	// A helper may run as another user than root, as in the chain of tools.
	for _, dir := range []string{b.tmp, b.bin} {
		if err = os.Chmod(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err = b.compile(); err != nil {
		return nil, err
	}
	if b.svinit, err = b.copyBinary("new", o.svinit); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if o.old == "" {
		return b, nil
	}
	b.old, err = b.copyBinary("old", o.old)
	return b, err
}

func (b *bench) close() {
	b.once.Do(func() {
		for _, dir := range []string{b.tmp, b.bin} {
			if dir != "" {
				os.RemoveAll(dir)
			}
		}
	})
}

// abandon is close during a measurement. It kills the children first, and with
// every PID 1 its namespace: otherwise they make new files during the removal.
func (b *bench) abandon() {
	b.once.Do(func() {
		for range 20 {
			for _, pid := range descendants(os.Getpid())[1:] {
				unix.Kill(pid, unix.SIGKILL)
			}
			if os.RemoveAll(b.tmp) == nil && os.RemoveAll(b.bin) == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}

// compile builds every c/NAME.c as a static program, so that the exec of a
// service does not include the work of the dynamic linker.
func (b *bench) compile() error {
	cc, err := exec.LookPath("cc")
	if err != nil {
		return errors.New("compile the helpers: there is no C compiler, install gcc and libc6-dev")
	}
	if err := os.CopyFS(b.tmp, sources); err != nil {
		return err
	}
	files, err := fs.Glob(sources, "c/*.c")
	if err != nil {
		return err
	}
	for _, f := range files {
		out := b.helper(strings.TrimSuffix(filepath.Base(f), ".c"))
		text, err := exec.Command(cc, "-O2", "-static", "-o", out, filepath.Join(b.tmp, f)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("compile %s: %w\n%s", f, err, text)
		}
	}
	return nil
}

// helper is the path of a compiled helper.
func (b *bench) helper(name string) string { return filepath.Join(b.tmp, name) }

// times is the number of rounds: that of -rounds, or brief with -quick, or full.
func (b *bench) times(full, brief int) int {
	switch {
	case b.rounds > 0:
		return b.rounds
	case b.quick:
		return brief
	}
	return full
}

// heading says on which machine, when and with which binaries the table was made.
func (b *bench) heading() string {
	var uts unix.Utsname
	unix.Uname(&uts)
	load, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(load), " ")
	lines := []string{fmt.Sprintf("svinit bench %s: %d cores, Linux %s, load %s at the start; medians, rounds interleaved",
		time.Now().UTC().Format("2006-01-02 15:04"), runtime.NumCPU(), unix.ByteSliceToString(uts.Release[:]), first)}
	for _, c := range []struct {
		*build
		name, given string
	}{{b.svinit, current, b.options.svinit}, {b.old, previous, b.options.old}} {
		if c.build != nil {
			lines = append(lines, fmt.Sprintf("%s: %s, %s, %d bytes", c.name, c.given, c.version(), c.size))
		}
	}
	if b.svinit == nil {
		lines = append(lines, fmt.Sprintf("MISSING: svinit (%s): only the peers are measured, no target is checked", b.options.svinit))
	}
	if m := missing(); len(m) > 0 {
		lines = append(lines, "MISSING peers: "+strings.Join(m, ", "))
	}
	return strings.Join(lines, "\n")
}
