//go:build amd64 || arm64

package spawn

import (
	"math/bits"
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"svinit/reaper/inherit"
	"svinit/reaper/procattr"
	"svinit/reaper/sigaction"
)

// op is a system call that the child makes: its number, six arguments, and flags.
// The assembly knows this layout, 8 words, and the flags.
type op struct {
	number uintptr
	args   [6]uintptr
	flags  uintptr
}

// The flags of an op. Without the first two, the child ends if the call fails.
const (
	mayFail    = 1 // go on if it fails
	reportFail = 2 // go on if it fails, after a record of that in the pipe
	passResult = 4 // its result is the first argument of the next op
)

// opNext is the number of an op that is no system call: the child goes on with
// the list in block.ops.
const opNext = ^uintptr(0)

// block is what the assembly needs, at offsets that it knows. Parent and child
// use the same one, which lives on the heap until the outcome is known.
type block struct {
	number uintptr    // 0: of the clone
	args   [5]uintptr // 8: its arguments
	all    uint64     // 48: the signal mask that blocks everything
	//lint:ignore U1000 the assembly uses it
	old   uint64  // 56: the mask before
	first *op     // 64: the list that the child begins with
	ops   *op     // 72: the list of this child
	pipe  uintptr // 80: the write end of the pipe, in the child
	//lint:ignore U1000 the assembly uses it
	failure failure // 88: what the child writes to it
	tid     int32   // 104: the pid of the child, set by the kernel (CLONE_CHILD_SETTID)
}

// failure is the record of a system call that failed.
type failure struct {
	errno uint64
	op    uintptr // the address of the op
}

// cloneArgs is struct clone_args of clone3(2), in its first version.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls uint64
}

// spawn clones and, in the child, makes the system calls of the block. It
// returns what the clone returned: a pid or a negative errno.
//
//go:noescape
func spawn(b *block) int

// method is a kind of clone.
type method uint8

const (
	unknownMethod method = iota
	byClone3             // CLONE_VM and CLONE_CLEAR_SIGHAND
	byClone              // CLONE_VM, and handlers that are reset one by one
	byFork               // a copy of our memory
)

var (
	// mu keeps the write end of a pipe from being inherited by another child,
	// where it would hide the end of the first one. Nothing under it can hang.
	mu      sync.Mutex
	chosen  method
	noReset = [1]op{{number: opNext}} // what first is when handlers need no reset
	resets  []op
)

// Inheritance is what a child gets from this process beside attr. The zero value
// is nothing: the child has an empty signal mask, default actions for all signals
// that this process does not ignore, and the descriptors of attr.Files alone.
type Inheritance struct {
	// Open lets it inherit all descriptors without close-on-exec.
	Open bool
	// Directory, unless it is 0, is a descriptor of its working directory.
	Directory int
	// Blocked is its signal mask, and Ignored the signals that it ignores. Signal N
	// is bit N-1.
	Blocked, Ignored uint64
}

// Start creates a process that executes path with argv. The pid is known when
// Start returns, the outcome of execve(2) later: see Process.Outcome. Supported
// in attr.Sys are Setsid, Setpgid, Foreground, Setctty and Ctty, as
// syscall.SysProcAttr has them, and Credential. extra may be nil. The child has an
// empty signal mask, and default actions for all signals that are not ignored.
// With keepOpen it inherits the descriptors without close-on-exec, else those of
// attr.Files alone.
//
// Errors: those of pipe2(2) and clone(2); EINVAL for strings with a NUL.
func Start(path string, argv []string, attr *syscall.ProcAttr, extra *procattr.Extra, keepOpen bool) (*Process, error) {
	return start(path, argv, attr, extra, Inheritance{Open: keepOpen})
}

// StartInheriting is Start for a child that gets more from this process.
func StartInheriting(path string, argv []string, attr *syscall.ProcAttr, from Inheritance) (*Process, error) {
	return start(path, argv, attr, nil, from)
}

func start(path string, argv []string, attr *syscall.ProcAttr, extra *procattr.Extra, from Inheritance) (*Process, error) {
	p := &Process{mask: from.Blocked}
	var err error
	if p.texts, err = newTexts(path, argv, attr); err != nil {
		return nil, err
	}
	if p.changes, err = newChanges(attr.Sys, extra); err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	if ends[1] < len(attr.Files) {
		// In the child that number is another file.
		above, err := unix.FcntlInt(uintptr(ends[1]), unix.F_DUPFD_CLOEXEC, len(attr.Files))
		unix.Close(ends[1])
		if err != nil {
			unix.Close(ends[0])
			return nil, err
		}
		ends[1] = above
	}
	defer unix.Close(ends[1])
	p.list = p.ops(attr, ends[1], from)
	p.block.all = ^uint64(0)
	p.block.ops = &p.list[0]
	p.block.pipe = uintptr(ends[1])
	pid, err := p.clone()
	if err != nil {
		unix.Close(ends[0])
		return nil, err
	}
	p.PID, p.fd = pid, ends[0]
	return p, nil
}

// clone tries the kinds of clone from the one that worked before on.
func (p *Process) clone() (pid int, err error) {
	if p.changes.needsOwnMemory() {
		r := p.cloneBy(byFork)
		if r < 0 {
			return 0, syscall.Errno(-r)
		}
		return r, nil
	}
	for m := max(chosen, byClone3); ; m++ {
		r := p.cloneBy(m)
		if r >= 0 {
			chosen = m
			return r, nil
		}
		err := syscall.Errno(-r)
		refused := err == unix.ENOSYS || err == unix.EINVAL || err == unix.EPERM
		if !refused || m == byFork || chosen != unknownMethod {
			return 0, err
		}
	}
}

func (p *Process) cloneBy(m method) int {
	const sigchld = uint64(unix.SIGCHLD)
	b := &p.block
	tid := uintptr(unsafe.Pointer(&b.tid))
	b.first = &noReset[0]
	switch m {
	case byClone3:
		p.clone3 = cloneArgs{flags: unix.CLONE_VM | unix.CLONE_CHILD_SETTID | unix.CLONE_CLEAR_SIGHAND, childTID: uint64(tid), exitSignal: sigchld}
		b.number = unix.SYS_CLONE3
		b.args = [5]uintptr{uintptr(unsafe.Pointer(&p.clone3)), unsafe.Sizeof(p.clone3)}
	default:
		flags := uintptr(sigchld) | unix.CLONE_CHILD_SETTID
		if m == byClone {
			flags |= unix.CLONE_VM
		}
		if resets == nil {
			resets = handlerResets()
		}
		b.first = &resets[0]
		b.number = unix.SYS_CLONE
		b.args = [5]uintptr{flags, 0, 0, 0, tid}
		if runtime.GOARCH == "amd64" { // the order of its arguments differs: clone(2)
			b.args[3], b.args[4] = b.args[4], b.args[3]
		}
	}
	return spawn(b)
}

// handlerResets returns the system calls that reset all signals but the ignored
// ones, as CLONE_CLEAR_SIGHAND does.
func handlerResets() (ops []op) {
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if sig == unix.SIGKILL || sig == unix.SIGSTOP || sigaction.Get(sig).Handler == sigaction.Ignore {
			continue
		}
		ops = append(ops, op{number: unix.SYS_RT_SIGACTION, args: [6]uintptr{uintptr(sig), uintptr(unsafe.Pointer(&defaultAction)), 0, 8}})
	}
	return append(ops, op{number: opNext})
}

// The kernel's struct sigaction of the default action, which is all zero on every
// architecture, and of an ignored signal.
var (
	defaultAction [8]uint64
	ignoreAction  = [8]uint64{sigaction.Ignore}
)

// texts is what the child refers to, as the kernel wants it.
type texts struct {
	path, dir *byte
	argv, env []*byte
}

func newTexts(path string, argv []string, attr *syscall.ProcAttr) (s texts, err error) {
	if s.path, err = unix.BytePtrFromString(path); err != nil {
		return s, err
	}
	if attr.Dir != "" {
		if s.dir, err = unix.BytePtrFromString(attr.Dir); err != nil {
			return s, err
		}
	}
	if s.argv, err = syscall.SlicePtrFromStrings(argv); err != nil {
		return s, err
	}
	env := attr.Env
	if env == nil {
		env = os.Environ()
	}
	s.env, err = syscall.SlicePtrFromStrings(env)
	return s, err
}

// ops returns the system calls of the child up to execve.
func (p *Process) ops(attr *syscall.ProcAttr, pipe int, from Inheritance) []op {
	s, b := &p.texts, &p.block
	ops := make([]op, 0, 16+len(attr.Files))
	call := func(number uintptr, args ...uintptr) {
		o := op{number: number}
		copy(o.args[:], args)
		ops = append(ops, o)
	}
	sys := attr.Sys
	if sys == nil {
		sys = &syscall.SysProcAttr{}
	}
	if sys.Setsid {
		call(unix.SYS_SETSID)
	}
	if sys.Setpgid || sys.Foreground {
		call(unix.SYS_SETPGID, 0, uintptr(sys.Pgid))
	}
	if sys.Foreground { // SIGTTOU is blocked; the group is our own, or it would be sys.Pgid
		call(unix.SYS_IOCTL, uintptr(sys.Ctty), unix.TIOCSPGRP, uintptr(unsafe.Pointer(&b.tid)))
	}
	ops = appendFiles(ops, attr.Files, pipe)
	if from.Directory != 0 { // before it is closed
		call(unix.SYS_FCHDIR, uintptr(from.Directory))
	}
	if !from.Open {
		// A child that hangs must not hold what others wait to see closed. Linux
		// before 5.9 has no such call, and the child closes them by execve.
		closeRange := func(first, last uintptr) {
			if first <= last {
				ops = append(ops, op{number: unix.SYS_CLOSE_RANGE, args: [6]uintptr{first, last}, flags: mayFail})
			}
		}
		closeRange(uintptr(len(attr.Files)), uintptr(pipe)-1)
		closeRange(uintptr(pipe)+1, uintptr(^uint32(0)))
	}
	if sys.Setctty {
		call(unix.SYS_IOCTL, uintptr(sys.Ctty), unix.TIOCSCTTY, 1)
	}
	if s.dir != nil {
		call(unix.SYS_CHDIR, uintptr(unsafe.Pointer(s.dir)))
	}
	if inherit.OpenFilesChanged() && isRaised() {
		call(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, uintptr(unsafe.Pointer(inherit.OpenFiles())), 0)
	}
	ops = p.changes.appendTo(ops)
	for ignored := from.Ignored; ignored != 0; ignored &= ignored - 1 {
		call(unix.SYS_RT_SIGACTION, uintptr(bits.TrailingZeros64(ignored)+1), uintptr(unsafe.Pointer(&ignoreAction)), 0, 8)
	}
	call(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&p.mask)), 0, 8)
	call(unix.SYS_EXECVE, uintptr(unsafe.Pointer(s.path)), uintptr(unsafe.Pointer(&s.argv[0])), uintptr(unsafe.Pointer(&s.env[0])))
	return ops
}

// isRaised reports whether the soft limit of open files is the one that package
// syscall has set: a tool may have set another one for its child.
func isRaised() bool {
	var now unix.Rlimit
	return unix.Getrlimit(unix.RLIMIT_NOFILE, &now) == nil && now.Cur+1 == now.Max
}

// NoFile in attr.Files is a descriptor that the child does not have.
const NoFile = ^uintptr(0)

// appendFiles appends what makes files[i] the descriptor i. Those that stand
// where another one goes are moved out of the way first, to numbers above all
// that are used.
func appendFiles(ops []op, files []uintptr, pipe int) []op {
	from := append([]uintptr(nil), files...)
	free := uintptr(pipe)
	for _, fd := range files {
		if fd != NoFile {
			free = max(free, fd)
		}
	}
	for i, fd := range from {
		if fd != NoFile && int(fd) < i {
			free++
			ops = append(ops, op{number: unix.SYS_DUP3, args: [6]uintptr{fd, free, unix.O_CLOEXEC}})
			from[i] = free
		}
	}
	for i, fd := range from {
		if fd == NoFile {
			ops = append(ops, op{number: unix.SYS_CLOSE, args: [6]uintptr{uintptr(i)}, flags: mayFail})
		} else if int(fd) == i {
			ops = append(ops, op{number: unix.SYS_FCNTL, args: [6]uintptr{fd, unix.F_SETFD, 0}})
		} else {
			ops = append(ops, op{number: unix.SYS_DUP3, args: [6]uintptr{fd, uintptr(i), 0}})
		}
	}
	return ops
}
