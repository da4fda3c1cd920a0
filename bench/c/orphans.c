/* orphans: makes N orphaned processes as fast as one process can, then waits until
 * PID 1 has reaped them.
 *
 *   orphans TRACE N PER_CHILD
 *
 * A child that shares the memory of this process (CLONE_VM|CLONE_VFORK: no page
 * table is copied) makes PER_CHILD grandchildren in the same way. They exit at
 * once, the child exits without waiting for them, and PID 1 inherits the zombies.
 * PER_CHILD = 1 is the double fork of a daemon. With 64, nearly every fork makes an
 * orphan, which is the highest rate.
 *
 * The number of zombies is limited to MAX_ZOMBIES, since pid_max can be as small as
 * 32768. sysinfo(2) counts the processes, once in BATCH orphans because it is
 * cheap. A PID 1 that is too slow delays the forks, which lowers the rate.
 *
 * Records: 'B' before the first fork; 'N' after the last (value: the most zombies
 * seen); 'Z' when only PID 1 and this process are in /proc (value: processor time
 * of PID 1 since 'B', ns). */
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

#define MAX_ZOMBIES 5000
#define BATCH 64
#define TIMEOUT 20000000000ull /* 20 s, then exit without record 'Z' */

static char low[16384], high[16384];
static int per_child = 1;

static int grandchild(void *arg)
{
	(void)arg;
	_exit(0);
}

static int child(void *arg)
{
	int i;

	for (i = 0; i < per_child; i++)
		clone(grandchild, low + sizeof low, CLONE_VM | CLONE_VFORK | SIGCHLD, arg);
	_exit(0);
}

static int processes(void)
{
	struct sysinfo s;

	return sysinfo(&s) < 0 ? 0 : s.procs;
}

/* The number of processes of this PID namespace, with zombies: the directories of
 * /proc whose name is a number. */
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

/* The processor time of all threads of PID 1 in ns: the first number of
 * /proc/1/task/TID/schedstat (Documentation/scheduler/sched-stats.rst). */
static uint64_t pid1_cpu(void)
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
	per_child = atoi(argv[3]);
	if (per_child < 1 || per_child > BATCH)
		return 100;
	base = processes();
	before = pid1_cpu();
	begin = now_ns();
	for (i = 0; i < n; i += per_child) {
		pid = clone(child, high + sizeof high, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			return 111;
		if (i % BATCH)
			continue;
		while ((now = processes() - base) > MAX_ZOMBIES) {
			if (now_ns() - begin > TIMEOUT)
				return 111;
			usleep(100);
		}
		most = now > most ? now : most;
	}
	end = now_ns();
	while (listed() > 2)
		if (now_ns() - end > TIMEOUT)
			return 111;
	stamp_to(argv[1], 'Z', 0, now_ns(), pid1_cpu() - before);
	stamp_to(argv[1], 'B', 0, begin, 0);
	stamp_to(argv[1], 'N', 0, end, (uint64_t)most);
	return 0;
}
