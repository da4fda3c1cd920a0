package pid1

import (
	"os"
	"strconv"
	"strings"
)

// oomCounter tells whether the kernel has killed a process for want of memory
// since start was called.
type oomCounter struct {
	started bool
	before  uint64
}

func (c *oomCounter) start() {
	c.before, _ = oomKills()
	c.started = true
}

func (c *oomCounter) increased() bool {
	if !c.started {
		return false
	}
	n, ok := oomKills()
	return ok && n > c.before
}

// oomKills returns how often the kernel has killed a process of our container
// because its memory was used up: the line oom_kill of memory.events (cgroup
// v2, Documentation/admin-guide/cgroup-v2.rst) or memory.oom_control (v1),
// where a container finds its own cgroup.
func oomKills() (uint64, bool) {
	for _, path := range []string{
		"/sys/fs/cgroup/memory.events",
		"/sys/fs/cgroup/memory/memory.oom_control",
	} {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
				count, err := strconv.ParseUint(strings.TrimSpace(n), 10, 64)
				return count, err == nil
			}
		}
	}
	return 0, false
}
