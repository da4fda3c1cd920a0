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

// A bench is what all measurements share: the compiled helpers, the copy of
// svinit, and how much work was asked for.
type bench struct {
	tmp    string // on tmpfs: helpers and worlds, gone at close
	bin    string // on disk: our copy of svinit, gone at close
	svinit string // that copy, or "" when there is none to measure
	link   string // to it, called tini
	given  string // what -svinit said
	rounds int
	quick  bool

	once sync.Once
}

// open compiles the C helpers and copies svinit. The copy has an inode of its
// own, so that no other running svinit shares its pages and flatters its PSS;
// it lies on disk and not on tmpfs, as a container's files do.
func open(svinit string, rounds int, quick bool) (_ *bench, err error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("make PID namespaces: run bench as root")
	}
	b := &bench{given: svinit, rounds: rounds, quick: quick}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.bin, err = os.MkdirTemp("", "svinit-bench-"); err != nil {
		return nil, err
	}
	// tmpfs, so that no disk is measured. Docker mounts its /dev/shm noexec.
	where := "/dev/shm"
	var st unix.Statfs_t
	if unix.Statfs(where, &st) != nil || st.Flags&unix.ST_NOEXEC != 0 {
		where = ""
	}
	if b.tmp, err = os.MkdirTemp(where, "svinit-bench-"); err != nil {
		return nil, err
	}
	// Services run as root here, but a helper may not: let it pass.
	if err = os.Chmod(b.tmp, 0o755); err != nil {
		return nil, err
	}
	if err = b.compile(); err != nil {
		return nil, err
	}
	if data, err := os.ReadFile(svinit); err == nil {
		b.svinit = filepath.Join(b.bin, "svinit")
		b.link = filepath.Join(b.bin, "tini")
		if err := os.Symlink("svinit", b.link); err != nil {
			return nil, err
		}
		if err := os.WriteFile(b.svinit, data, 0o755); err != nil {
			return nil, err
		}
		// A file just written lies in memory in large pieces, which the kernel
		// maps whole: 1.1 MB more PSS than when it has been read from a disk.
		if f, err := os.Open(b.svinit); err == nil {
			f.Sync()
			unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
			f.Close()
		}
	}
	return b, nil
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

// abandon is close in the middle of a measurement: our children first, and with
// each PID 1 its namespace, or they would make new files while we remove.
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

// compile builds every c/NAME.c, static: a service's exec must not measure the
// dynamic linker.
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
		out := b.tool(strings.TrimSuffix(filepath.Base(f), ".c"))
		text, err := exec.Command(cc, "-O2", "-static", "-o", out, filepath.Join(b.tmp, f)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("compile %s: %w\n%s", f, err, text)
		}
	}
	return nil
}

// tool is the path of a compiled helper.
func (b *bench) tool(name string) string { return filepath.Join(b.tmp, name) }

// times is how many rounds to do: -rounds if given, else full, or brief with -quick.
func (b *bench) times(full, brief int) int {
	switch {
	case b.rounds > 0:
		return b.rounds
	case b.quick:
		return brief
	}
	return full
}

// heading says on what, and against whom, the table below was made.
func (b *bench) heading() string {
	var uts unix.Utsname
	unix.Uname(&uts)
	load, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(load), " ")
	lines := []string{fmt.Sprintf("svinit bench %s: %d cores, Linux %s, load %s at the start; medians, rounds interleaved",
		time.Now().UTC().Format("2006-01-02 15:04"), runtime.NumCPU(), unix.ByteSliceToString(uts.Release[:]), first)}
	if b.svinit == "" {
		lines = append(lines, fmt.Sprintf("MISSING: svinit (%s): peers alone, nothing is judged", b.given))
	}
	if gone := missing(); len(gone) > 0 {
		lines = append(lines, "MISSING peers: "+strings.Join(gone, ", "))
	}
	return strings.Join(lines, "\n")
}
