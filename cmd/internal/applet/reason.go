package applet

import (
	"errors"
	"syscall"
)

// Reason returns the text of an error. For an errno that is the text of
// daemontools' error_str.c, which differs from strerror(3) and which scripts match.
func Reason(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	if int(errno) < len(reasons) && reasons[errno] != "" {
		return reasons[errno]
	}
	return "unknown error"
}

// reasons is an array because the linker initializes it; a map would be filled at
// every start.
var reasons = [...]string{
	syscall.EPERM:           "permission denied",
	syscall.ENOENT:          "file does not exist",
	syscall.ESRCH:           "no such process",
	syscall.EINTR:           "interrupted system call",
	syscall.EIO:             "input/output error",
	syscall.ENXIO:           "device not configured",
	syscall.E2BIG:           "argument list too long",
	syscall.ENOEXEC:         "exec format error",
	syscall.EBADF:           "file descriptor not open",
	syscall.ECHILD:          "no child processes",
	syscall.EAGAIN:          "temporary failure",
	syscall.ENOMEM:          "out of memory",
	syscall.EACCES:          "access denied",
	syscall.EFAULT:          "bad address",
	syscall.ENOTBLK:         "not a block device",
	syscall.EBUSY:           "device busy",
	syscall.EEXIST:          "file already exists",
	syscall.EXDEV:           "cross-device link",
	syscall.ENODEV:          "device does not support operation",
	syscall.ENOTDIR:         "not a directory",
	syscall.EISDIR:          "is a directory",
	syscall.EINVAL:          "invalid argument",
	syscall.ENFILE:          "system cannot open more files",
	syscall.EMFILE:          "process cannot open more files",
	syscall.ENOTTY:          "not a tty",
	syscall.ETXTBSY:         "text busy",
	syscall.EFBIG:           "file too big",
	syscall.ENOSPC:          "out of disk space",
	syscall.ESPIPE:          "unseekable descriptor",
	syscall.EROFS:           "read-only file system",
	syscall.EMLINK:          "too many links",
	syscall.EPIPE:           "broken pipe",
	syscall.EDOM:            "input out of range",
	syscall.ERANGE:          "output out of range",
	syscall.EDEADLK:         "operation would cause deadlock",
	syscall.ENAMETOOLONG:    "file name too long",
	syscall.ENOLCK:          "no locks available",
	syscall.ENOSYS:          "system call not available",
	syscall.ENOTEMPTY:       "directory not empty",
	syscall.ELOOP:           "symbolic link loop",
	syscall.ENOMSG:          "no message of desired type",
	syscall.EIDRM:           "identifier removed",
	syscall.ENOSTR:          "not a stream device",
	syscall.ETIME:           "timer expired",
	syscall.ENOSR:           "out of stream resources",
	syscall.ENONET:          "machine not on network",
	syscall.EREMOTE:         "too many levels of remote in path",
	syscall.ENOLINK:         "link severed",
	syscall.EADV:            "advertise error",
	syscall.ESRMNT:          "srmount error",
	syscall.ECOMM:           "communication error",
	syscall.EPROTO:          "protocol error",
	syscall.EMULTIHOP:       "multihop attempted",
	syscall.EBADMSG:         "bad message type",
	syscall.EREMCHG:         "remote address changed",
	syscall.EUSERS:          "too many users",
	syscall.ENOTSOCK:        "not a socket",
	syscall.EDESTADDRREQ:    "destination address required",
	syscall.EMSGSIZE:        "message too long",
	syscall.EPROTOTYPE:      "incorrect protocol type",
	syscall.ENOPROTOOPT:     "protocol not available",
	syscall.EPROTONOSUPPORT: "protocol not supported",
	syscall.ESOCKTNOSUPPORT: "socket type not supported",
	syscall.EOPNOTSUPP:      "operation not supported",
	syscall.EPFNOSUPPORT:    "protocol family not supported",
	syscall.EAFNOSUPPORT:    "address family not supported",
	syscall.EADDRINUSE:      "address already used",
	syscall.EADDRNOTAVAIL:   "address not available",
	syscall.ENETDOWN:        "network down",
	syscall.ENETUNREACH:     "network unreachable",
	syscall.ENETRESET:       "network reset",
	syscall.ECONNABORTED:    "connection aborted",
	syscall.ECONNRESET:      "connection reset",
	syscall.ENOBUFS:         "out of buffer space",
	syscall.EISCONN:         "already connected",
	syscall.ENOTCONN:        "not connected",
	syscall.ESHUTDOWN:       "socket shut down",
	syscall.ETOOMANYREFS:    "too many references",
	syscall.ETIMEDOUT:       "timed out",
	syscall.ECONNREFUSED:    "connection refused",
	syscall.EHOSTDOWN:       "host down",
	syscall.EHOSTUNREACH:    "host unreachable",
	syscall.EALREADY:        "operation already in progress",
	syscall.EINPROGRESS:     "operation in progress",
	syscall.ESTALE:          "stale NFS file handle",
	syscall.EDQUOT:          "disk quota exceeded",
}
