package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// confinement is how a container differs from that of docker run without options.
type confinement struct {
	root       string
	env        []string
	user       string // UID:GID
	readOnly   bool   // the root file system is
	noShm      bool   // there is no /dev/shm
	noexecRun  bool   // /run is a file system that executes nothing
	caps       string // "none", "no_kill": without that one, or "sys_admin": that one too
	noNewPrivs bool
	nofile     uint64 // limits, if not 0
	nproc      uint64
	host       string
	errno      int    // how the system calls in without fail
	without    string // names with commas between, or "modern"
	args       []string
}

// set defines the options of contain.
func (c *confinement) set(f *flag.FlagSet) {
	f.StringVar(&c.root, "root", "", "")
	f.Func("e", "", func(s string) error { c.env = append(c.env, s); return nil })
	f.Func("services", "", func(s string) error { c.env = append(c.env, "SVINIT_SERVICE_DIR=/"+s); return nil })
	f.StringVar(&c.user, "user", "0:0", "")
	f.BoolVar(&c.readOnly, "readonly", false, "")
	f.BoolVar(&c.noShm, "noshm", false, "")
	f.BoolVar(&c.noexecRun, "noexecrun", false, "")
	f.StringVar(&c.caps, "caps", "", "")
	f.BoolVar(&c.noNewPrivs, "nonewprivs", false, "")
	f.Uint64Var(&c.nofile, "nofile", 0, "")
	f.Uint64Var(&c.nproc, "nproc", 0, "")
	f.StringVar(&c.host, "host", "container", "")
	f.IntVar(&c.errno, "errno", int(unix.EPERM), "")
	f.StringVar(&c.without, "without", "", "")
}

// confine is the program that contain starts in new namespaces: it restricts
// itself and executes the init.
func confine() {
	runtime.LockOSThread() // capabilities and seccomp filters are a thread's
	var c confinement
	f := flag.NewFlagSet("confine", flag.ExitOnError)
	c.set(f)
	f.Parse(os.Args[1:])
	c.args = f.Args()
	path := c.args[0]
	if !strings.Contains(path, "/") {
		path = "/usr/local/bin/" + path
	}
	for _, step := range []func() error{c.enterRoot, c.limit, c.dropCapabilities, c.forbid, c.changeUser} {
		if err := step(); err != nil {
			fmt.Fprintln(os.Stderr, "confine:", err)
			os.Exit(99)
		}
	}
	fmt.Fprintln(os.Stderr, "confine:", path, syscall.Exec(path, c.args, c.environ()))
	os.Exit(99)
}

// attach is the program that "in" starts: it enters the namespaces of a container,
// restricts itself as the container is, and runs a command. Its arguments are the
// process ID of svinit and the options of the container.
func attach() {
	runtime.LockOSThread()
	var c confinement
	f := flag.NewFlagSet("attach", flag.ExitOnError)
	c.set(f)
	f.Parse(os.Args[2:])
	code, err := c.attach(os.Args[1], f.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "attach:", err)
	}
	os.Exit(code)
}

func (c *confinement) attach(pid string, args []string) (code int, err error) {
	const failed = 99
	// A thread that shares its root directory with others may not change it by setns(2).
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return failed, fmt.Errorf("unshare: %w", err)
	}
	var fds []int
	for _, name := range []string{"ipc", "uts", "net", "pid", "mnt"} {
		fd, err := unix.Open("/proc/"+pid+"/ns/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return failed, err
		}
		fds = append(fds, fd)
	}
	for _, fd := range fds {
		if err := unix.Setns(fd, 0); err != nil {
			return failed, fmt.Errorf("setns: %w", err)
		}
	}
	for _, step := range []func() error{c.limit, c.dropCapabilities, c.forbid} {
		if err := step(); err != nil {
			return failed, err
		}
	}
	uid, gid, err := c.ids()
	if err != nil {
		return failed, err
	}
	path := args[0]
	if !strings.Contains(path, "/") {
		path = "/usr/local/bin/" + path
	}
	child, err := syscall.ForkExec(path, args, &syscall.ProcAttr{
		Dir: "/", Env: c.environ(), Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}},
	})
	if err != nil {
		return failed, fmt.Errorf("%s: %w", path, err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(child, &status, 0, nil); err != nil {
		return failed, err
	}
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

// environ is the environment of the programs in the container.
func (c *confinement) environ() []string {
	return append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=" + c.host}, c.env...)
}

// enterRoot mounts what a container has, and makes root the root of the namespace.
func (c *confinement) enterRoot() error {
	unix.Umask(0)
	defer unix.Umask(0o022)
	const plain = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	type mount struct {
		what, where, kind string
		flags             uintptr
		data              string
	}
	mounts := []mount{
		{"", "/", "", unix.MS_REC | unix.MS_PRIVATE, ""},
		{c.root, c.root, "", unix.MS_BIND, ""},
		{"proc", c.root + "/proc", "proc", plain, ""},
		{"tmpfs", c.root + "/dev", "tmpfs", unix.MS_NOSUID, "mode=755"},
	}
	if !c.noShm {
		mounts = append(mounts, mount{"tmpfs", c.root + "/dev/shm", "tmpfs", plain, "mode=1777"})
	}
	if c.noexecRun {
		mounts = append(mounts, mount{"tmpfs", c.root + "/run", "tmpfs", plain, "mode=755"})
	}
	for _, m := range mounts {
		if err := os.MkdirAll(m.where, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.what, m.where, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", m.where, err)
		}
	}
	for minor, name := range map[uint32]string{3: "null", 5: "zero", 7: "full", 8: "random", 9: "urandom"} {
		if err := unix.Mknod(c.root+"/dev/"+name, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor))); err != nil {
			return fmt.Errorf("mknod %s: %w", name, err)
		}
	}
	if err := unix.Chdir(c.root); err != nil {
		return err
	}
	// See pivot_root(2): the old root is stacked on the new one, and then unmounted.
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	if c.readOnly {
		if err := unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
			return fmt.Errorf("remount /: %w", err)
		}
	}
	return unix.Sethostname([]byte(c.host))
}

func (c *confinement) limit() error {
	for which, n := range map[int]uint64{unix.RLIMIT_NOFILE: c.nofile, unix.RLIMIT_NPROC: c.nproc} {
		if n == 0 {
			continue
		}
		if err := syscall.Setrlimit(which, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			return fmt.Errorf("setrlimit: %w", err)
		}
	}
	return nil
}

// dropCapabilities leaves those that Docker leaves. A program executed by root
// gets all that are in the bounding set.
func (c *confinement) dropCapabilities() error {
	keep := []uintptr{unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FSETID, unix.CAP_FOWNER, unix.CAP_MKNOD, unix.CAP_NET_RAW,
		unix.CAP_SETGID, unix.CAP_SETUID, unix.CAP_SETFCAP, unix.CAP_SETPCAP, unix.CAP_NET_BIND_SERVICE, unix.CAP_SYS_CHROOT,
		unix.CAP_KILL, unix.CAP_AUDIT_WRITE}
	switch c.caps {
	case "":
	case "none":
		keep = nil
	case "no_kill":
		keep = slices.DeleteFunc(keep, func(n uintptr) bool { return n == unix.CAP_KILL })
	case "sys_admin":
		keep = append(keep, unix.CAP_SYS_ADMIN)
	default:
		return fmt.Errorf("unknown capabilities %s", c.caps)
	}
	for n := uintptr(0); n <= unix.CAP_LAST_CAP; n++ {
		if slices.Contains(keep, n) {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, n, 0, 0, 0); err != nil && err != unix.EINVAL { // EINVAL: this kernel has fewer
			return fmt.Errorf("drop capability %d: %w", n, err)
		}
	}
	if c.noNewPrivs {
		return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	return nil
}

// systemCalls are those that can be made to fail.
var systemCalls = map[string]uint32{
	"inotify_init1": unix.SYS_INOTIFY_INIT1, "inotify_add_watch": unix.SYS_INOTIFY_ADD_WATCH, "inotify_rm_watch": unix.SYS_INOTIFY_RM_WATCH,
	"flock": unix.SYS_FLOCK, "mknodat": unix.SYS_MKNODAT,
	"memfd_create": unix.SYS_MEMFD_CREATE, "clone3": unix.SYS_CLONE3, "pidfd_open": unix.SYS_PIDFD_OPEN,
	"pidfd_send_signal": unix.SYS_PIDFD_SEND_SIGNAL, "pidfd_getfd": unix.SYS_PIDFD_GETFD, "close_range": unix.SYS_CLOSE_RANGE,
	"epoll_pwait2": unix.SYS_EPOLL_PWAIT2, "openat2": unix.SYS_OPENAT2, "faccessat2": unix.SYS_FACCESSAT2, "statx": unix.SYS_STATX, "rseq": unix.SYS_RSEQ,
}

// forbid makes system calls fail by a seccomp filter, as a seccomp profile of
// Docker does. "modern" is what is new since Linux 5.0, and inotify: older
// profiles forbid it or do not know it.
func (c *confinement) forbid() error {
	var names []string
	switch c.without {
	case "":
		return nil
	case "modern":
		for name := range systemCalls {
			names = append(names, name)
		}
	default:
		names = strings.Split(c.without, ",")
	}
	const number = 0 // its offset in struct seccomp_data
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number}}
	deny := func(call uint32) {
		filter = append(filter,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(c.errno)})
	}
	for _, name := range names {
		call, ok := systemCalls[name]
		if !ok {
			return fmt.Errorf("unknown system call %s", name)
		}
		deny(call)
	}
	if runtime.GOARCH == "amd64" && slices.Contains(names, "inotify_init1") {
		deny(253) // inotify_init, which newer architectures do not have
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

// ids returns the numbers in c.user.
func (c *confinement) ids() (uid, gid uint32, err error) {
	_, err = fmt.Sscanf(c.user, "%d:%d", &uid, &gid)
	return uid, gid, err
}

func (c *confinement) changeUser() error {
	uid, gid, err := c.ids()
	if err != nil || uid == 0 {
		return err
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setgid(int(gid)); err != nil {
		return err
	}
	return syscall.Setuid(int(uid))
}
