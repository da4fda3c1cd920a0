/*
 * The main programs of the containers of docker/plain and of scenarios: "plain
 * WHAT". Lines begin with the name of who says them; with PLAIN_LOG set they go to
 * that file instead of standard output.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int out = 1;

static void need(int ok, const char *what) {
	if (!ok) {
		perror(what);
		_exit(111);
	}
}

static void say(const char *line) { need(write(out, line, strlen(line)) > 0, "write"); }

static void got(int sig) {
	char line[] = "main: got NN\n";
	int saved = errno;
	line[10] = '0' + sig / 10;
	line[11] = '0' + sig % 10;
	say(line);
	errno = saved;
}

/* hear says what signals come; TERM, as usual, ends it. */
static void hear(void) {
	struct sigaction sa = {.sa_handler = got, .sa_flags = SA_RESTART};
	sigfillset(&sa.sa_mask);
	for (int sig = 1; sig <= 64; sig++)
		if (sig != SIGTERM && sig != SIGCHLD)
			sigaction(sig, &sa, NULL); /* not KILL, STOP and the C library's */
}

/* as_child forks, with a pipe to the parent; it returns 1 in the child, 0 in the parent. */
static int as_child(int p[2]) {
	need(pipe(p) == 0, "pipe");
	int pid = fork();
	need(pid >= 0, "fork");
	close(p[pid == 0 ? 0 : 1]);
	return pid == 0;
}

/* adopted makes an orphan that ends at once, and waits until it has been reaped. */
static void adopted(void) {
	int p[2], orphan = 0, status;
	if (as_child(p)) {
		int pid = fork();
		need(pid >= 0, "fork");
		if (pid > 0)
			need(write(p[1], &pid, sizeof pid) == sizeof pid, "write");
		_exit(0);
	}
	need(read(p[0], &orphan, sizeof orphan) == sizeof orphan, "read");
	close(p[0]);
	need(wait(&status) > 0, "wait");
	while (kill(orphan, 0) == 0)
		usleep(1000);
}

static void told(int sig) {
	(void)sig;
	say("orphan: told\n");
	_exit(0);
}

/* orphan leaves a process in a session of its own, which is ready when this returns. */
static void orphan(const char *kind) {
	int p[2], status;
	char c;
	if (as_child(p)) {
		int pid = fork();
		need(pid >= 0, "fork");
		if (pid > 0) {
			if (strcmp(kind, "stopped") == 0)
				waitpid(pid, &status, WUNTRACED);
			_exit(0);
		}
		setsid();
		if (strcmp(kind, "polite") == 0) {
			signal(SIGTERM, told);
		} else if (strcmp(kind, "deaf") == 0) {
			signal(SIGTERM, SIG_IGN);
		} else if (strcmp(kind, "stopped") == 0) {
			signal(SIGTERM, told);
			raise(SIGSTOP);
		} else if (strcmp(kind, "parent") == 0) { /* of zombies */
			for (int i = 0; i < 50; i++)
				if (fork() == 0)
					_exit(0);
		}
		close(p[1]);
		for (;;)
			pause();
	}
	need(wait(&status) > 0, "wait");
	if (strcmp(kind, "stopped") != 0) /* that one never lets go */
		need(read(p[0], &c, 1) == 0, "read");
	close(p[0]);
}

/* zombies leaves children that have ended, and were not waited for. */
static void zombies(void) {
	for (int i = 0; i < 50; i++) {
		siginfo_t info;
		int pid = fork();
		need(pid >= 0, "fork");
		if (pid == 0)
			_exit(0);
		need(waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0, "waitid");
	}
}

/* bomb has all that it forks fork as well. */
static void bomb(void) {
	static int said;
	for (;;)
		if (fork() < 0) {
			if (!said++)
				say("bomb: no more pids\n");
			usleep(10000);
		}
}

int main(int argc, char **argv) {
	const char *what = argc > 1 ? argv[1] : "", *arg = argc > 2 ? argv[2] : "", *log = getenv("PLAIN_LOG");

	if (log)
		need((out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) >= 0, log);
	if (strcmp(what, "exit") == 0)
		return atoi(arg);
	if (strcmp(what, "die") == 0) {
		signal(atoi(arg), SIG_DFL);
		raise(atoi(arg));
	} else if (strcmp(what, "hear") == 0) {
		hear();
		adopted();
		say("main: up\n");
		for (;;)
			pause();
	} else if (strcmp(what, "bomb") == 0) {
		hear(); /* inherited: nobody in it dies of anything but TERM */
		if (strcmp(arg, "child") != 0 || fork() == 0)
			bomb();
		say("main: up\n");
		for (;;)
			pause();
	} else if (strcmp(what, "leave") == 0) {
		for (int i = 2; i < argc; i++)
			if (strcmp(argv[i], "zombies") == 0)
				zombies();
			else
				orphan(argv[i]);
		say("main: over\n");
		return 7;
	}
	fprintf(stderr, "plain: no such thing to do: %s\n", what);
	return 100;
}
