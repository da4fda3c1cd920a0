/* service: the `run` of every service. Says when its main began, then idles.
 * It ends at once on TERM, by a handler of its own that leaves a record, so
 * that a stop shows who was allowed to end and who was killed.
 *
 * It takes no argument, since supervisors give `run` none (or their own): it
 * knows itself by its working directory, ROOT/avail/s0042, and finds the trace
 * two levels up. In a directory called `log` it is a logger and ends with its
 * input. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "stamp.h"

static int trace;
static uint32_t self;

static void ended(int sig)
{
	(void)sig;
	stamp_fd(trace, 'T', self, now_ns(), 0);
	_exit(0);
}

int main(void)
{
	uint64_t born = now_ns();
	struct sigaction act;
	char dir[4096], buf[4096], *name;
	int logger;

	if (!getcwd(dir, sizeof dir) || !(name = strrchr(dir, '/')))
		return 97;
	logger = !strcmp(name, "/log");
	self = logger ? 0 : (uint32_t)atoi(name + 2);
	trace = open(logger ? "../../../trace" : "../../trace", O_WRONLY | O_APPEND | O_CLOEXEC);
	if (trace < 0)
		return 98;
	memset(&act, 0, sizeof act);
	act.sa_handler = ended;
	if (!logger)
		sigaction(SIGTERM, &act, NULL);
	stamp_fd(trace, logger ? 'L' : 'S', self, born, 0);
	if (logger)
		while (read(0, buf, sizeof buf) > 0)
			;
	else
		for (;;)
			pause();
	return 0;
}
