/* swallow: a log collector that costs nothing. Counts the bytes on stdin, says
 * when WANT of them have come (record 'R'), and reads on to the end so that
 * nobody upstream meets a broken pipe.
 *
 *   swallow TRACE WANT */
#include <stdlib.h>
#include "stamp.h"

int main(int argc, char **argv)
{
	static char buf[1 << 18];
	long long want, seen = 0;
	ssize_t got;
	int said = 0;

	if (argc < 3)
		return 100;
	want = atoll(argv[2]);
	while ((got = read(0, buf, sizeof buf)) > 0) {
		seen += got;
		if (seen >= want && !said) {
			said = 1;
			stamp_to(argv[1], 'R', 0, now_ns(), (uint64_t)seen);
		}
	}
	stamp_to(argv[1], 'Q', 0, now_ns(), (uint64_t)seen);
	return 0;
}
