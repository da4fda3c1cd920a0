package foreground

import (
	"bytes"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// restAfter is when a container is usually idle, after its start.
const restAfter = 1500 * time.Millisecond

// rest gives back the memory of those pages of our executable that were used
// only at start. The kernel maps sixteen pages for each that is touched, so that
// nearly the whole file counts as ours, 3 MB; the fifth of it that remains in
// use is mapped again by itself. The pages are unchanged pages of a file, so
// nothing is lost.
//
// /proc/self/smaps has 20 to 100 KB. It is read in pieces into one buffer: read
// at once, it makes the heap grow, for good, just before everything is idle.
func rest() {
	var name [unix.PathMax]byte
	n, err := unix.Readlink("/proc/self/exe", name[:])
	if err != nil {
		return
	}
	smaps, err := unix.Open("/proc/self/smaps", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(smaps)
	r := resting{exe: name[:n]}
	readLines(func(b []byte) (int, error) { return unix.Read(smaps, b) }, r.line)
}

// readLines calls line for each line of what read returns. Of a line that is too
// long for the buffer it passes the parts.
func readLines(read func([]byte) (int, error), line func([]byte)) {
	var buf [4096]byte
	for kept := 0; ; {
		n, err := read(buf[kept:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		rest := buf[:kept+n]
		for {
			text, after, found := bytes.Cut(rest, []byte{'\n'})
			if !found {
				break
			}
			line(text)
			rest = after
		}
		if len(rest) == len(buf) {
			line(rest)
			rest = nil
		}
		kept = copy(buf[:], rest)
	}
}

// resting reads the lines of proc_pid_smaps(5).
type resting struct {
	exe        []byte
	begin, end uint64 // of the mapping whose lines follow, 0 if it is to be kept
}

// line gives back the pages of a mapping of exe at the line that says that none
// of them differs from the file, as those do that a dynamic linker has relocated:
//
//	00400000-0055c000 r-xp 00000000 fe:00 1234  /svinit
//	...
//	Anonymous:             0 kB
func (r *resting) line(text []byte) {
	key, value, _ := bytes.Cut(text, []byte{' '})
	if len(key) > 0 && key[len(key)-1] == ':' {
		if r.end != 0 && string(key) == "Anonymous:" && string(bytes.TrimLeft(value, " ")) == "0 kB" {
			unix.RawSyscall(unix.SYS_MADVISE, uintptr(r.begin), uintptr(r.end-r.begin), unix.MADV_DONTNEED)
		}
		return
	}
	r.end = 0
	from, to, ok := bytes.Cut(key, []byte{'-'})
	mode, _, _ := bytes.Cut(value, []byte{' '})
	i := bytes.IndexByte(value, '/')
	if !ok || i < 0 || string(value[i:]) != string(r.exe) || bytes.IndexByte(mode, 'w') >= 0 {
		return
	}
	r.begin, _ = strconv.ParseUint(string(from), 16, 64)
	r.end, _ = strconv.ParseUint(string(to), 16, 64)
}
