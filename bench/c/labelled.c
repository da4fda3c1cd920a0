/* labelled: like writer, with a TAI64N label in front of each line, as the input
 * of tai64nlocal. A line has 100 bytes with its label. A thousand lines share
 * one second, as in the log of a busy service.
 *
 *   labelled TRACE BYTES CHUNK */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "stamp.h"

#define LINE 100
#define LINES 32768 /* of the pattern, which is written again and again */

int main(int argc, char **argv)
{
	static char buf[LINES * LINE + 65536 + 1];
	long long total, left;
	long chunk, i;

	if (argc < 4)
		return 100;
	total = atoll(argv[2]);
	chunk = atol(argv[3]);
	if (total <= 0 || chunk <= 0 || chunk > 65536)
		return 100;
	for (i = 0; i < LINES; i++) {
		char *line = buf + i * LINE;

		memset(line, 'x', LINE);
		sprintf(line, "@%016llx%08lx", 0x400000006b03d746ull + (unsigned long long)(i / 1000), i % 1000 * 1000003);
		line[25] = ' ';
		line[LINE - 1] = '\n';
	}
	memcpy(buf + (long)LINES * LINE, buf, 65536);
	stamp_to(argv[1], 'B', 0, now_ns(), 0);
	for (left = total; left > 0;) {
		long off = (long)((total - left) % ((long)LINES * LINE));
		long want = left < chunk ? (long)left : chunk;
		ssize_t got = write(1, buf + off, (size_t)want);

		if (got <= 0)
			return 111;
		left -= got;
	}
	return 0;
}
