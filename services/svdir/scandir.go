package svdir

import (
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// ScanDir is the scan directory where the environment names no other
// (SVINIT_SERVICE_DIR): its entries are the services.
const ScanDir = "/etc/service"

// StopTimeout is how long the services of a scan directory may take to stop where
// the environment does not say (SVINIT_STOP_TIMEOUT).
const StopTimeout = 8 * time.Second

// A supervisor of a scan directory listens at an abstract socket (unix(7)), whose
// name is made of the container and the path of the directory. The name is bound
// once, so no second supervisor starts; and tools learn whether a service that is
// listed and not supervised is one that will be. Unlike a file the name needs no
// writable directory, and the kernel removes it with the process.
//
// The name proves nothing: containers can share a network namespace, and any user
// can bind it. The credentials of the peer do (SO_PEERCRED), whose pid is 0 for a
// process outside of our PID namespace.

// SupervisedError says that a scan directory has a supervisor.
type SupervisedError struct {
	Dir string
	PID int
}

func (e *SupervisedError) Error() string {
	return e.Dir + " is supervised by process " + strconv.Itoa(e.PID)
}

// ClaimScanDir announces this process as the supervisor of the scan directory
// dir, which need not exist yet. It returns a socket on which the caller must call
// AcceptClients when it is readable; it is non-blocking, and -1 where the system
// has no such sockets. The only error is *SupervisedError.
func ClaimScanDir(dir string) (socket int, err error) {
	name := socketName(dir)
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, nil
	}
	err = syscall.Bind(fd, &syscall.SockaddrUnix{Name: name})
	if err == nil && syscall.Listen(fd, 128) == nil {
		return fd, nil
	}
	syscall.Close(fd)
	if peer, perr := scanPeer(name); err == syscall.EADDRINUSE && perr == nil && peer.Pid != 0 && (peer.Uid == 0 || int(peer.Uid) == os.Geteuid()) {
		return -1, &SupervisedError{dir, int(peer.Pid)}
	}
	return -1, nil
}

// AcceptClients ends the connections of tools, which have learned what they need.
func AcceptClients(socket int) {
	for {
		fd, _, err := syscall.Accept4(socket, syscall.SOCK_CLOEXEC)
		switch err {
		case nil:
			syscall.Close(fd)
		case syscall.EINTR, syscall.ECONNABORTED:
		default:
			return
		}
	}
}

// ScanDirSupervisor returns the process that supervises the scan directory dir, 0
// if none in this PID namespace is known to.
func ScanDirSupervisor(dir string) (pid int) {
	peer, err := scanPeer(socketName(dir))
	if err != nil {
		return 0
	}
	return int(peer.Pid)
}

// scanPeer returns the process that listens at a socket. Where many tools ask at once it
// waits, but not long.
func scanPeer(name string) (*syscall.Ucred, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &syscall.Timeval{Sec: 1})
	if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: name}); err != nil {
		return nil, err
	}
	return syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
}

// socketName returns the name of the socket: of this container (its PID namespace
// and its root directory), and of the path dir without symbolic links.
func socketName(dir string) string {
	hash := fnv.New64a()
	hash.Write([]byte(resolved(dir)))
	var ns, root syscall.Stat_t
	syscall.Stat("/proc/self/ns/pid", &ns)
	syscall.Stat("/", &root)
	return "@svinit/" + strconv.FormatUint(ns.Ino, 10) + "/" + strconv.FormatUint(root.Dev, 16) + "-" +
		strconv.FormatUint(root.Ino, 16) + "/" + strconv.FormatUint(hash.Sum64(), 16)
}

// resolved returns an absolute path without symbolic links, as far as it exists.
func resolved(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rest := ""
	for dir := abs; ; {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			return filepath.Join(real, rest)
		}
		if !errors.Is(err, os.ErrNotExist) || dir == "/" {
			return abs
		}
		dir, rest = filepath.Dir(dir), filepath.Join(filepath.Base(dir), rest)
	}
}
