package pid1

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// restAfter is when a container usually lies still.
const restAfter = 1500 * time.Millisecond

// rest gives back the pages of our program that were used at start. The kernel
// maps sixteen for each that is touched, so that nearly all of the file is
// counted as ours, 3 MB; what goes on being used, a fifth of it, comes back by
// itself. They are pages of a file, never changed, so nothing is lost.
func rest() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	var begin, end uint64 // of the mapping whose lines follow, if it is a candidate
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
		// Pages that a dynamic linker has relocated are no longer the file's.
		if len(f) == 3 && f[0] == "Anonymous:" && f[1] == "0" && end != 0 {
			unix.RawSyscall(unix.SYS_MADVISE, uintptr(begin), uintptr(end-begin), unix.MADV_DONTNEED)
		}
	}
}
