/* numbered: writes COUNT lines "SEQ LENGTH CRC PAYLOAD" of varying length, so that
 * the reader detects lost, torn and mixed lines.
 *
 * The writes do not end at line ends (one line in three writes, forty lines in
 * one), because the supervisor has to assemble the lines. Every 500th line is
 * longer than PIPE_BUF and every 5,000th has 30 KB, since the kernel does not
 * guarantee that such writes are atomic. COUNT is read from the file `cfg` beside
 * `run`. After the last line it sleeps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "stamp.h"

static uint32_t table[256];
static uint32_t seed;

static uint32_t random_number(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static uint32_t crc(const char *p, size_t n)
{
	uint32_t c = 0xffffffffu;

	while (n--)
		c = table[(c ^ (unsigned char)*p++) & 255] ^ (c >> 8);
	return ~c;
}

static void out(const char *p, size_t n)
{
	while (n) {
		ssize_t got = write(1, p, n);

		if (got <= 0)
			_exit(111);
		p += got;
		n -= (size_t)got;
	}
}

static void fill_crc_table(void)
{
	uint32_t c, r, k;

	for (c = 0; c < 256; c++) {
		r = c;
		for (k = 0; k < 8; k++)
			r = r & 1 ? 0xedb88320u ^ (r >> 1) : r >> 1;
		table[c] = r;
	}
}

static long line_length(long seq)
{
	long length = random_number() % 180;

	if (seq % 500 == 499)
		length = 4000 + random_number() % 4000;
	return seq % 5000 == 4999 ? 30000 : length;
}

int main(void)
{
	static char buf[1 << 17], payload[32768];
	char dir[4096], *name;
	long seq, count = 0, length, i;
	size_t fill = 0, limit = 1;
	FILE *cfg = fopen("cfg", "r");

	if (!cfg || fscanf(cfg, "%ld", &count) != 1)
		return 100;
	fclose(cfg);
	if (!getcwd(dir, sizeof dir) || !(name = strrchr(dir, '/')))
		return 100;
	seed = (uint32_t)atoi(name + 2) + 1;
	fill_crc_table();
	for (seq = 0; seq < count; seq++) {
		length = line_length(seq);
		for (i = 0; i < length; i++)
			payload[i] = (char)(' ' + random_number() % 95);
		fill += (size_t)snprintf(buf + fill, 64, "%ld %ld %08x ", seq, length, crc(payload, (size_t)length));
		memcpy(buf + fill, payload, (size_t)length);
		fill += (size_t)length;
		buf[fill++] = '\n';
		while (fill >= limit) {
			out(buf, limit);
			fill -= limit;
			memmove(buf, buf + limit, fill);
			limit = 1 + random_number() % (random_number() % 8 ? 300 : 40000);
		}
	}
	out(buf, fill);
	for (;;)
		pause();
}
