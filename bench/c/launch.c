/* launch: the last thing before a contender or a client.
 *
 *   launch pid1 TRACE CMD ARG...      first process of a new PID and mount
 *                                     namespace: mounts /proc and a private
 *                                     /run, stamps, becomes CMD
 *   launch exec TRACE CMD ARG...      stamps, becomes CMD
 *   launch link TRACE TARGET LINK [CMD ARG...]
 *                                     stamps, symlink(2), becomes CMD (a nudge)
 *
 * The stamp is taken here and not in the harness, so that neither a fork of the
 * harness nor a mount is counted as the contender's time. */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include "stamp.h"

int main(int argc, char **argv)
{
	char **cmd = argv + 3;
	int trace;

	if (argc < 4)
		return 100;
	trace = open(argv[2], O_WRONLY | O_APPEND | O_CLOEXEC);
	if (trace < 0) {
		perror("launch: unable to open trace");
		return 111;
	}
	if (!strcmp(argv[1], "pid1")) {
		if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ||
		    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0) {
			perror("launch: unable to mount");
			return 111;
		}
	}
	stamp_fd(trace, 'E', 0, now_ns(), 0);
	if (!strcmp(argv[1], "link")) {
		cmd = argv + 5;
		if (argc < 5 || symlink(argv[3], argv[4]) < 0) {
			perror("launch: unable to link");
			return 111;
		}
		if (argc < 6)
			return 0;
	}
	execvp(cmd[0], cmd);
	perror(cmd[0]);
	stamp_fd(trace, 'F', 0, now_ns(), 0);
	return 111;
}
