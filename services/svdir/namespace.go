package svdir

import (
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// namespaceLink is a symbolic link in a state directory, whose target says in
// which container its supervisor runs. A symbolic link, because it is made and
// read in one system call, and needs no space on a full tmpfs:
//
//	PIDNS.ROOTDEV-ROOTINO.BOOT
//
// PIDNS is the number of the PID namespace, 0 without /proc; ROOTDEV and ROOTINO
// are device and inode of the root directory, in hexadecimal, which tell apart
// containers that share a PID namespace; BOOT is the kernel's boot_id, for file
// systems that several machines share. daemontools and runit make no such link:
// their supervisors are taken to run in this container.
const namespaceLink = "namespace"

// container identifies the container that a process runs in.
type container struct{ pid, root, boot string }

// here is the container that this process runs in.
var here = sync.OnceValue(func() container {
	c := container{pid: "0", root: "0-0"}
	var st unix.Stat_t
	if unix.Stat("/proc/self/ns/pid", &st) == nil {
		c.pid = strconv.FormatUint(st.Ino, 10)
	}
	if unix.Stat("/", &st) == nil {
		c.root = strconv.FormatUint(st.Dev, 16) + "-" + strconv.FormatUint(st.Ino, 16)
	}
	return c
})

// hereNow is here with the boot_id of the kernel, "" where that is not known.
// Supervisors need it; it is read once, not for each service.
var hereNow = sync.OnceValue(func() container {
	c := here()
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	c.boot = strings.TrimSpace(string(b))
	return c
})

// String returns the target of namespaceLink.
func (c container) String() string { return c.pid + "." + c.root + "." + c.boot }

// distance says how far from this container a supervisor runs.
type distance uint8

const (
	sameContainer distance = iota
	sameNamespace          // the same PID namespace, and another root directory
	otherNamespace
)

// distanceTo compares a target of namespaceLink with this container. The boot is
// compared if it is known here, which tools do without: a FIFO has readers on
// this machine only.
func (c container) distanceTo(target string) distance {
	pid, rest, ok := strings.Cut(target, ".")
	root, boot, ok2 := strings.Cut(rest, ".")
	switch {
	case !ok || !ok2:
		return sameContainer // not ours
	case c.boot != "" && boot != "" && c.boot != boot:
		return otherNamespace
	case root == c.root && (pid == c.pid || pid == "0" || c.pid == "0"):
		return sameContainer
	case pid == c.pid && pid != "0":
		return sameNamespace
	}
	return otherNamespace
}

// ids are the names of this container in the fallback bases: that of the PID
// namespace, and where /proc may have been missing when the supervisor started,
// that of the root directory.
func (c container) ids() []string {
	if c.pid == "0" {
		return []string{c.root}
	}
	return []string{c.pid, c.root}
}

// distanceOf returns how far the supervisor of the open state directory is.
func distanceOf(dir int, from container) distance {
	var b [256]byte
	n, err := unix.Readlinkat(dir, namespaceLink, b[:])
	if err != nil {
		return sameContainer
	}
	return from.distanceTo(string(b[:n]))
}
