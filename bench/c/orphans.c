/* orphans: make N orphans as fast as one process can, then watch them go.
 *
 *   orphans TRACE N LITTER
 *
 * A child that shares our memory (CLONE_VM|CLONE_VFORK: no page table is
 * copied) makes LITTER grandchildren the same way; they end at once, the child
 * ends without waiting for them, and PID 1 inherits the bodies. With a litter
 * of 1 it is the double fork of a daemon; with 64 nearly every fork of ours is
 * an orphan, which is as fast as they can come.
 *
 * Not more than MOST bodies may lie about, since pid_max is 32768 here: the
 * sysinfo(2) count (one cheap call a BATCH of orphans) holds the maker back when PID 1
 * falls behind, which then shows in its rate.
 *
 * Record 'B' before the first fork, 'N' after the last (value: most bodies
 * seen), 'Z' when /proc holds nobody but PID 1 and us (value: processor time of
 * PID 1 since 'B', ns). */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include "stamp.h"

#define MOST 5000
#define BATCH 64
#define PATIENCE 20000000000ull /* 20 s, then we say so by ending without 'Z' */

static char low[16384], high[16384];
static int litter = 1;

static int grandchild(void *arg)
{
	(void)arg;
	_exit(0);
}

static int child(void *arg)
{
	int i;

	for (i = 0; i < litter; i++)
		clone(grandchild, low + sizeof low, CLONE_VM | CLONE_VFORK | SIGCHLD, arg);
	_exit(0);
}

static int processes(void)
{
	struct sysinfo s;

	return sysinfo(&s) < 0 ? 0 : s.procs;
}

/* The files of /proc with a number for a name: processes of this namespace,
 * bodies included. */
static int listed(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	int n = 0;

	if (!proc)
		return 0;
	while ((e = readdir(proc)))
		n += isdigit((unsigned char)e->d_name[0]) != 0;
	closedir(proc);
	return n;
}

/* The processor time of PID 1, all its threads, in ns: the first number of
 * /proc/1/task/TID/schedstat (Documentation/scheduler/sched-stats.rst). */
static uint64_t busy(void)
{
	DIR *tasks = opendir("/proc/1/task");
	struct dirent *e;
	uint64_t sum = 0;

	if (!tasks)
		exit(111);
	while ((e = readdir(tasks))) {
		char path[300];
		unsigned long long ns = 0;
		FILE *f;

		snprintf(path, sizeof path, "/proc/1/task/%s/schedstat", e->d_name);
		if (!(f = fopen(path, "r")))
			continue;
		if (fscanf(f, "%llu", &ns) == 1)
			sum += ns;
		fclose(f);
	}
	closedir(tasks);
	return sum;
}

int main(int argc, char **argv)
{
	int i, n, base, most = 0, now;
	uint64_t begin, end, before;
	pid_t pid;

	if (argc < 4)
		return 100;
	n = atoi(argv[2]);
	litter = atoi(argv[3]);
	if (litter < 1 || litter > BATCH)
		return 100;
	base = processes();
	before = busy();
	begin = now_ns();
	for (i = 0; i < n; i += litter) {
		pid = clone(child, high + sizeof high, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			return 111;
		if (i % BATCH)
			continue;
		while ((now = processes() - base) > MOST) {
			if (now_ns() - begin > PATIENCE)
				return 111;
			usleep(100);
		}
		most = now > most ? now : most;
	}
	end = now_ns();
	while (listed() > 2)
		if (now_ns() - end > PATIENCE)
			return 111;
	stamp_to(argv[1], 'Z', 0, now_ns(), busy() - before);
	stamp_to(argv[1], 'B', 0, begin, 0);
	stamp_to(argv[1], 'N', 0, end, (uint64_t)most);
	return 0;
}
