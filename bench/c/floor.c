/* floor: the least a PID 1 can do, as a yardstick; nobody would run it.
 *
 *   floor services DIR N   vforks DIR/s0000/run ... N of them, restarts whoever
 *                          dies, on TERM sends TERM to all and ends with the last
 *   floor wait CMD ARG...  runs CMD, reaps everything, ends when CMD ends */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 4096

static volatile sig_atomic_t stopping;
static pid_t pids[MOST];

static void stop(int sig)
{
	(void)sig;
	stopping = 1;
}

static pid_t spawn(const char *dir, char *const argv[])
{
	pid_t pid = vfork(); /* the directory is the child's own: no CLONE_FS */

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
	pid_t pid, mine = -1;

	if (argc < 3)
		return 100;
	if (!strcmp(argv[1], "wait")) {
		mine = spawn(NULL, argv + 2);
	} else {
		memset(&act, 0, sizeof act);
		act.sa_handler = stop; /* no SA_RESTART: wait must return */
		sigaction(SIGTERM, &act, NULL);
		n = argc > 3 ? atoi(argv[3]) : 0;
		if (n > MOST)
			return 100;
		for (i = 0; i < n; i++)
			service(argv[2], i);
	}
	for (left = n; mine > 0 || left > 0;) {
		if (stopping == 1) {
			stopping = 2;
			for (i = 0; i < n; i++)
				if (pids[i] > 0)
					kill(pids[i], SIGTERM);
		}
		pid = wait(NULL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0 || pid == mine)
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
