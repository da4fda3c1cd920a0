/* service: the `run` of every service. It records when its main began, then
 * sleeps. On TERM its handler writes a record and exits at once, so that the
 * trace shows which services exited and which were killed.
 *
 * Supervisors pass no arguments to `run` (or arguments of their own). The service
 * takes its number from its working directory, ROOT/avail/s0042, and opens the
 * trace two levels above it. In a directory called `log` it is a logger, which
 * exits at the end of its input. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "stamp.h"

static int trace;
static uint32_t number;

static void on_term(int sig)
{
	(void)sig;
	stamp_fd(trace, 'T', number, now_ns(), 0);
	_exit(0);
}

int main(void)
{
	uint64_t begin = now_ns();
	struct sigaction act;
	char dir[4096], buf[4096], *name;
	int logger;

	if (!getcwd(dir, sizeof dir) || !(name = strrchr(dir, '/')))
		return 97;
	logger = !strcmp(name, "/log");
	number = logger ? 0 : (uint32_t)atoi(name + 2);
	trace = open(logger ? "../../../trace" : "../../trace", O_WRONLY | O_APPEND | O_CLOEXEC);
	if (trace < 0)
		return 98;
	memset(&act, 0, sizeof act);
	act.sa_handler = on_term;
	if (!logger)
		sigaction(SIGTERM, &act, NULL);
	stamp_fd(trace, logger ? 'L' : 'S', number, begin, 0);
	if (logger)
		while (read(0, buf, sizeof buf) > 0)
			;
	else
		for (;;)
			pause();
	return 0;
}
