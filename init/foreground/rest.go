package foreground

import (
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
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	var begin, end uint64 // of the mapping whose lines follow, 0 if it is to be kept
	for line := range strings.Lines(string(maps)) {
		// proc_pid_smaps(5): "00400000-0055c000 r-xp 00000000 fe:00 1234  /svinit",
		// then lines such as "Anonymous:  0 kB".
		f := strings.Fields(line)
		if len(f) > 0 && !strings.HasSuffix(f[0], ":") {
			end = 0
			if from, to, ok := strings.Cut(f[0], "-"); ok && len(f) == 6 && f[5] == exe && !strings.Contains(f[1], "w") {
				begin, _ = strconv.ParseUint(from, 16, 64)
				end, _ = strconv.ParseUint(to, 16, 64)
			}
		}
		// Pages that a dynamic linker has relocated differ from the file.
		if len(f) == 3 && f[0] == "Anonymous:" && f[1] == "0" && end != 0 {
			unix.RawSyscall(unix.SYS_MADVISE, uintptr(begin), uintptr(end-begin), unix.MADV_DONTNEED)
		}
	}
}
