/* sink: a log collector without any cost of its own. It counts the bytes on
 * stdin, writes record 'R' when WANT of them have arrived, and reads on to the
 * end of the input, so that no writer gets SIGPIPE.
 *
 *   sink TRACE WANT */
#include <stdlib.h>
#include "stamp.h"

int main(int argc, char **argv)
{
	static char buf[1 << 18];
	long long want, seen = 0;
	ssize_t got;
	int recorded = 0;

	if (argc < 3)
		return 100;
	want = atoll(argv[2]);
	while ((got = read(0, buf, sizeof buf)) > 0) {
		seen += got;
		if (seen >= want && !recorded) {
			recorded = 1;
			stamp_to(argv[1], 'R', 0, now_ns(), (uint64_t)seen);
		}
	}
	return 0;
}
