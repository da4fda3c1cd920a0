package foreground

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
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
func rest() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer smaps.Close()
	// Read in pieces: garbage of 100 KB can be what begins a collection, which
	// costs 700 KB of memory that is then in use.
	lines := bufio.NewScanner(smaps)
	lines.Buffer(make([]byte, 4096), 4096)
	var begin, end uint64 // of the mapping whose lines follow, 0 if it is to be kept
	for lines.Scan() {
		// proc_pid_smaps(5): "00400000-0055c000 r-xp 00000000 fe:00 1234  /svinit",
		// then lines such as "Anonymous:  0 kB".
		line := lines.Bytes()
		first, rest, _ := bytes.Cut(line, []byte(" "))
		switch {
		case !bytes.HasSuffix(first, []byte(":")):
			begin, end = 0, 0
			if f := strings.Fields(string(rest)); len(f) == 5 && f[4] == exe && !strings.Contains(f[0], "w") {
				from, to, _ := strings.Cut(string(first), "-")
				begin, _ = strconv.ParseUint(from, 16, 64)
				end, _ = strconv.ParseUint(to, 16, 64)
			}
		case end != 0 && string(first) == "Anonymous:" && string(bytes.TrimSpace(rest)) == "0 kB":
			// Pages that a dynamic linker has relocated differ from the file.
			unix.RawSyscall(unix.SYS_MADVISE, uintptr(begin), uintptr(end-begin), unix.MADV_DONTNEED)
		}
	}
}
