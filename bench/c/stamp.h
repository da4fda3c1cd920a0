/* The record that every helper appends to the trace file. trace.go reads the same
 * 32 bytes. Numbers have the byte order of the machine. */
#ifndef STAMP_H
#define STAMP_H

#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

struct stamp {
	uint32_t kind;  /* a letter, listed in trace.go */
	uint32_t index; /* number of the service */
	uint32_t pid;   /* in the helper's PID namespace */
	uint32_t spare;
	uint64_t ns;    /* CLOCK_MONOTONIC, the same in all PID namespaces */
	uint64_t value; /* meaning depends on kind */
};

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* With O_APPEND no record is lost. A write to a file on tmpfs wakes no reader, so
 * that the trace does not disturb the measurement. */
static inline void stamp_fd(int fd, char kind, uint32_t index, uint64_t ns, uint64_t value)
{
	struct stamp s = { (uint32_t)kind, index, (uint32_t)getpid(), 0, ns, value };

	if (write(fd, &s, sizeof s) != (ssize_t)sizeof s)
		_exit(99);
}

static inline void stamp_to(const char *trace, char kind, uint32_t index, uint64_t ns, uint64_t value)
{
	int fd = open(trace, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0)
		_exit(98);
	stamp_fd(fd, kind, index, ns, value);
	close(fd);
}

#endif
