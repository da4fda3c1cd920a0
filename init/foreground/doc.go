// Package foreground is a plain init: a process in front of one main program.
// It starts the program, forwards signals to it, reaps orphans, and returns
// the program's exit code. The supervisor of package pid1 is built on it; tini,
// dumb-init and catatonit are this and nothing else. See [Init] for the order of
// calls.
//
// # The main program
//
// It is found and executed as execvp(3) does, and gets our standard streams, our
// environment and every descriptor that we have inherited. Those descriptors are
// close-on-exec for everything else, and are closed once the main program runs,
// so that a socket or pipe ends with it. Where sockets were handed to us
// (LISTEN_PID, sd_listen_fds(3)) a shim, which is our own executable, sets
// LISTEN_PID to its own pid and then executes the main program.
//
// A program that ends within 2 ms costs no thread, no epoll and no goroutine:
// see [Init.ExitedEarly].
//
// # Session, process group and terminal
//
// What the main program gets depends on the leader of the session of our
// controlling terminal (credentials(7)):
//
//	situation                                main program             terminal
//	the session is ours (docker run -t)      a session of its own     becomes that of its session
//	a shell's job, in the foreground         a process group          its group is put into the foreground
//	a shell's job, in the background         a process group          stays as it is
//	no terminal                              a process group          none
//	Options.Session                          a session of its own     as in the first line, if the session is ours
//	Options.SameGroup                        our process group        stays as it is
//
// A session of its own has nobody in it outside of the main program's process
// group, so that the kernel lets no key stop it: POSIX calls such a group
// orphaned. To continue the main program after Ctrl-Z would not be enough: a
// child that is stopped between vfork and exec leaves its parent waiting in the
// kernel, and no process is notified of it.
//
// As a shell's job, the main program is a job inside a job: a process group that
// is put into the foreground, and whose stops must be handled here as a shell
// would. When it ends we take the terminal back.
//
// # Who gets which signal
//
// A key such as Ctrl-C is a signal from the kernel to the foreground process
// group. Where that is the main program's, the signal does not pass through us.
// All other signals that can be caught arrive here and are forwarded, to the
// main program alone or, with Options.Group, to its process group, as
// Options.Signals translates them. Not forwarded are
//
//	SIGCHLD      a child of ours has ended or stopped
//	SIGTTIN      if the kernel sent it: another process of our own process group
//	             reads from the terminal in the background
//	SIGTTOU      if the kernel sent it: we write to the terminal ourselves
//	SIGCONT      if we sent it ourselves, to our own process group
//	SIGHUP and   once, if we gave up our terminal for the main program: the
//	SIGCONT      kernel sends them to the former foreground
//
// Services have sessions of their own and get signals only from their
// supervisor.
//
// # A main program that has stopped
//
// With a shell above us, our process group stops with the main program, so that
// the shell sees its job stopped. When the shell continues us (fg, bg), the main
// program is continued too, in the foreground if we are. Without a shell no
// process could continue it, so it is continued at once.
//
// # Threads
//
// The Go runtime ends the program when it cannot start a thread. So that a main
// program that uses up the container's pids does not end PID 1, all threads are
// started beforehand: after the main program, or before it where pids are few.
// See [Threads].
package foreground
