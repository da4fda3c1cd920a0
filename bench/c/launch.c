/* launch: executes a contender or a client, and records the time of the exec.
 *
 *   launch pid1 TRACE CMD ARG...
 *       executes CMD as PID 1 of a new PID and mount namespace with a /proc and
 *       a private /run. PID 1 is a child of launch's parent. launch itself exits
 *       as soon as record 'P' holds the PID of PID 1.
 *   launch exec TRACE CMD ARG...
 *       executes CMD in place of launch
 *   launch link TRACE TARGET LINK [CMD ARG...]
 *       symlink(2), then executes CMD if there is one
 *
 * Record 'E' is the time just before the exec, or before the symlink(2). launch
 * takes it, so that it contains neither a fork of bench nor a mount.
 *
 * launch closes all inherited descriptors before it makes PID 1: fork gives the
 * child a descriptor table for the highest open descriptor of the parent, and
 * the table keeps this size across exec. A parent with descriptor 250 open would
 * save PID 1 the growth of its table, which is slow in a process with threads
 * (expand_fdtable in fs/file.c waits for an RCU grace period). A container
 * runtime starts PID 1 with the smallest table, of 64 descriptors. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "stamp.h"

static int failed(const char *what)
{
	perror(what);
	return 111;
}

/* Returns in the new PID 1 with 0, and in the launcher with the PID. CLONE_PARENT
 * makes PID 1 a child of bench, which waits for it and kills it. */
static pid_t new_pid1(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

static int prepare_pid1(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return -1;
	return mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
}

int main(int argc, char **argv)
{
	char **cmd = argv + 3;
	pid_t pid;
	int trace;

	if (argc < 4)
		return 100;
	if (syscall(SYS_close_range, 3, ~0U, 0) < 0)
		return failed("launch: unable to close descriptors");
	trace = open(argv[2], O_WRONLY | O_APPEND | O_CLOEXEC);
	if (trace < 0)
		return failed("launch: unable to open trace");
	if (!strcmp(argv[1], "pid1")) {
		pid = new_pid1();
		if (pid < 0)
			return failed("launch: unable to make a PID namespace");
		if (pid > 0) {
			stamp_fd(trace, 'P', 0, now_ns(), (uint64_t)pid);
			return 0;
		}
		if (prepare_pid1() < 0)
			return failed("launch: unable to mount");
	}
	stamp_fd(trace, 'E', 0, now_ns(), 0);
	if (!strcmp(argv[1], "link")) {
		cmd = argv + 5;
		if (argc < 5 || symlink(argv[3], argv[4]) < 0)
			return failed("launch: unable to link");
		if (argc < 6)
			return 0;
	}
	execvp(cmd[0], cmd);
	perror(cmd[0]);
	return 111;
}
