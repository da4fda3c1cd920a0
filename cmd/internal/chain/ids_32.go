//go:build 386 || arm

package chain

import "syscall"

// On these architectures the calls without 32 in their name take 16-bit IDs.
const (
	sysSetgroups = syscall.SYS_SETGROUPS32
	sysSetgid    = syscall.SYS_SETGID32
	sysSetuid    = syscall.SYS_SETUID32
)
