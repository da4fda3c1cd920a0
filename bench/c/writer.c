/* writer: writes BYTES bytes to stdout as 100-byte lines, CHUNK bytes a write.
 *
 *   writer [TRACE BYTES CHUNK]
 *
 * As a service it has no arguments and reads "BYTES CHUNK" from the file `cfg`
 * beside its `run`. It writes record 'B' before the first write. As a service it
 * sleeps after the last one: if it exited, the supervisor would start it again,
 * and it would write everything a second time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "stamp.h"

#define LINE 100
#define LARGEST 65536

int main(int argc, char **argv)
{
	static char buf[LARGEST + LINE];
	const char *trace = "../../trace";
	long long total = 0, left;
	long chunk = 0, i;
	FILE *cfg;

	if (argc > 3) {
		trace = argv[1];
		total = atoll(argv[2]);
		chunk = atol(argv[3]);
	} else if ((cfg = fopen("cfg", "r"))) {
		if (fscanf(cfg, "%lld %ld", &total, &chunk) != 2)
			return 100;
		fclose(cfg);
	}
	if (total <= 0 || chunk <= 0 || chunk > LARGEST)
		return 100;
	memset(buf, 'x', sizeof buf);
	/* A chunk need not contain whole lines: the next one continues the pattern. */
	for (i = LINE - 1; i < (long)sizeof buf; i += LINE)
		buf[i] = '\n';
	stamp_to(trace, 'B', 0, now_ns(), 0);
	for (left = total; left > 0;) {
		long off = (long)((total - left) % LINE);
		long want = left < chunk ? (long)left : chunk;
		ssize_t got = write(1, buf + off, (size_t)want);

		if (got <= 0)
			return 111;
		left -= got;
	}
	if (argc <= 3)
		for (;;)
			pause();
	return 0;
}
