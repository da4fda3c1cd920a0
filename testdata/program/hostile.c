/*
 * The program that runs with svinit in the containers of docker/hostile and of
 * scenarios: services of one thread each, whose kind is the name of their
 * directory, and wrappers that break something for the program that they execute.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void need(int ok, const char *what) {
	if (!ok) {
		perror(what);
		exit(111);
	}
}

static void say(const char *line) {
	if (write(1, line, strlen(line)) < 0)
		_exit(1);
}

/* bomb uses up all pids, and takes each that becomes free. */
static void bomb(void) {
	say("lit\n");
	for (;;) {
		int pid = fork();
		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0) {
			static int said;
			if (!said++)
				say("no more pids\n");
			usleep(1000);
		}
	}
}

/* hog uses memory until it is killed, the first time only. */
static void hog(void) {
	if (mkdir("been", 0700) == 0)
		for (;;) {
			char *p = malloc(1 << 20);
			need(p != NULL, "malloc");
			memset(p, 1, 1 << 20);
		}
	say("well fed\n");
}

static void service(const char *name) {
	char buf[4096];
	ssize_t n;

	if (strcmp(name, "log") == 0) {
		while ((n = read(0, buf, sizeof buf)) > 0)
			if (write(1, buf, n) < 0)
				_exit(1);
		exit(0);
	}
	if (strcmp(name, "bomb") == 0)
		bomb();
	if (strcmp(name, "hog") == 0)
		hog();
	say("up\n");
	for (;;)
		pause();
}

/* onto makes fd the standard output and error. */
static void onto(int fd) {
	need(fd >= 0, "open");
	need(dup2(fd, 1) == 1 && dup2(fd, 2) == 2, "dup2");
	if (fd > 2)
		close(fd);
}

static void spoil(const char *what) {
	if (strcmp(what, "closed") == 0) {
		close(1);
		close(2);
	} else if (strcmp(what, "devfull") == 0) {
		onto(open("/dev/full", O_WRONLY));
	} else if (strcmp(what, "fullpipe") == 0) {
		int p[2];
		need(pipe2(p, O_NONBLOCK) == 0, "pipe2"); /* its read end stays open, and nobody reads */
		while (write(p[1], "x", 1) == 1)
			;
		need(fcntl(p[1], F_SETFL, 0) == 0, "fcntl");
		onto(p[1]);
	} else if (strcmp(what, "brokenpipe") == 0) {
		int p[2];
		need(pipe(p) == 0, "pipe");
		close(p[0]);
		onto(p[1]);
	} else if (strcmp(what, "nocwd") == 0) {
		need(mkdir("/gone", 0755) == 0 && chdir("/gone") == 0 && rmdir("/gone") == 0, "chdir");
	} else if (strcmp(what, "noproc") == 0) {
		need(umount2("/proc", MNT_DETACH) == 0, "umount /proc");
	} else if (strcmp(what, "hidepid") == 0) {
		need(mount("proc", "/proc", "proc", MS_REMOUNT, "hidepid=2") == 0, "remount /proc");
		need(setgid(12345) == 0 && setuid(12345) == 0, "setuid");
	} else {
		fprintf(stderr, "hostile: unknown wrapper: %s\n", what);
		exit(100);
	}
}

/* ./run is a service; "hostile WHAT PROGRAM..." is the wrapper WHAT. */
int main(int argc, char **argv) {
	char cwd[4096];

	if (argc > 2) {
		spoil(argv[1]);
		execvp(argv[2], argv + 2);
		need(0, argv[2]);
	}
	need(getcwd(cwd, sizeof cwd) != NULL, "getcwd");
	service(basename(cwd));
}
