/* The record every helper appends to the run's trace file, and nothing else
 * they share. trace.go reads the same 32 bytes; both sides are native endian,
 * they run on one machine. */
#ifndef STAMP_H
#define STAMP_H

#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

struct stamp {
	uint32_t kind;  /* a letter: see trace.go */
	uint32_t index; /* the service's number */
	uint32_t pid;   /* as seen inside the namespace */
	uint32_t spare;
	uint64_t ns;    /* CLOCK_MONOTONIC, which PID namespaces share */
	uint64_t value; /* kind's own */
};

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* O_APPEND on tmpfs: one inode lock, no lost record, and no reader is woken,
 * so that watching costs the watched nothing. */
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
