/* timing: measures how long short programs take from exec to exit. In each round
 * it runs every program once.
 *
 *   timing ROUNDS CMD ARG... -- CMD ARG... [-- ...]
 *
 * Prints "INDEX NANOSECONDS WAITSTATUS" for each execution. It uses vfork and
 * wait4 and no shell: the remaining overhead is the same for all programs, and
 * noop shows its size. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "stamp.h"

#define MAX_COMMANDS 16

int main(int argc, char **argv)
{
	char **cmd[MAX_COMMANDS];
	int n = 0, i, r, rounds, status, null;
	uint64_t begin, end;
	pid_t pid;

	if (argc < 3)
		return 100;
	rounds = atoi(argv[1]);
	cmd[n++] = argv + 2;
	for (i = 2; i < argc; i++)
		if (!strcmp(argv[i], "--")) {
			argv[i] = NULL;
			if (n == MAX_COMMANDS)
				return 100;
			cmd[n++] = argv + i + 1;
		}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (r = 0; r < rounds; r++)
		for (i = 0; i < n; i++) {
			begin = now_ns();
			pid = vfork();
			if (pid == 0) {
				dup2(null, 1);
				dup2(null, 2);
				execv(cmd[i][0], cmd[i]);
				_exit(127);
			}
			if (pid < 0 || waitpid(pid, &status, 0) != pid)
				return 111;
			end = now_ns();
			printf("%d %llu %d\n", i, (unsigned long long)(end - begin), status);
		}
	return 0;
}
