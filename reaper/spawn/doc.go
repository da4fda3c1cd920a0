// Package spawn starts a program in a new process without waiting for its
// execve(2), which can hang: the file is on a dead network file system, or its
// owner holds a write lease on it (fcntl(2), F_SETLEASE).
//
// syscall.ForkExec clones with CLONE_VFORK, so that the parent waits in the
// kernel until the child has executed, and it does so without telling the Go
// scheduler: one hanging child stops a processor (P) of the Go runtime, and with
// it the next garbage collection. [Start] returns as soon as the child exists.
// Whether its execve worked is learned from a pipe that the child holds
// ([Process.Outcome]).
//
// # How
//
// The child shares our memory until it executes (CLONE_VM), which is as quick as
// vfork, but we go on meanwhile. It must therefore leave our stack alone, so it
// is a loop of a few instructions of assembly that keeps everything in registers
// and makes the system calls of a list that the parent has prepared (op). All
// signals are blocked from before the clone until just before execve, and the
// handlers are reset before that: a handler in the child would run in our
// memory.
//
// Three kinds of clone are tried, since seccomp profiles and emulators refuse
// some of them: clone3(2) with CLONE_CLEAR_SIGHAND, clone(2) with handlers that
// are reset one by one, and a plain fork. Which one works is found out at the
// first start and kept.
//
// A child that changes its user, its capabilities or its out-of-memory score is
// always a plain fork. Sharing our memory with the rights of another user, it could
// be traced by other processes of that user, and PID 1 be changed through it. The
// kernel prevents that by making such memory not dumpable, ours too, and then no
// other process may open /proc/1/fd/1 (ptrace(2)). And processes that share memory
// share their out-of-memory score.
//
// Where there is no assembly for an architecture, Start is syscall.ForkExec.
package spawn
