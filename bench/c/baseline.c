/* baseline: the least work that a PID 1 can do, for comparison; it is of no use
 * otherwise.
 *
 *   baseline services DIR N    starts N services DIR/s0000/run, DIR/s0001/run ...
 *                              by vfork, and restarts those that exit. On TERM it
 *                              sends TERM to all and exits after the last
 *   baseline wait CMD ARG...   runs CMD, reaps all children, exits after CMD */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_SERVICES 4096

static volatile sig_atomic_t stopping;
static pid_t pids[MAX_SERVICES];

static void stop(int sig)
{
	(void)sig;
	stopping = 1;
}

static pid_t spawn(const char *dir, char *const argv[])
{
	pid_t pid = vfork(); /* without CLONE_FS, so that chdir affects the child alone */

	if (pid == 0) {
		if (!dir || chdir(dir) == 0)
			execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static void service(const char *root, int i)
{
	static char *run[] = { "./run", NULL };
	char dir[4096];

	snprintf(dir, sizeof dir, "%s/s%04d", root, i);
	pids[i] = spawn(dir, run);
}

int main(int argc, char **argv)
{
	struct sigaction act;
	int i, n = 0, left;
	pid_t pid, command = -1;

	if (argc < 3)
		return 100;
	if (!strcmp(argv[1], "wait")) {
		command = spawn(NULL, argv + 2);
	} else {
		memset(&act, 0, sizeof act);
		act.sa_handler = stop; /* no SA_RESTART: wait must return */
		sigaction(SIGTERM, &act, NULL);
		n = argc > 3 ? atoi(argv[3]) : 0;
		if (n > MAX_SERVICES)
			return 100;
		for (i = 0; i < n; i++)
			service(argv[2], i);
	}
	for (left = n; command > 0 || left > 0;) {
		if (stopping == 1) {
			stopping = 2;
			for (i = 0; i < n; i++)
				if (pids[i] > 0)
					kill(pids[i], SIGTERM);
		}
		pid = wait(NULL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0 || pid == command)
			break;
		for (i = 0; i < n; i++)
			if (pids[i] == pid) {
				pids[i] = 0;
				if (stopping)
					left--;
				else
					service(argv[2], i);
				break;
			}
	}
	return 0;
}
