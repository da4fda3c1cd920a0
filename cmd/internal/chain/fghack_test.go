package chain

import (
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestFghack compares children that exit, crash, and leave background processes.
func TestFghack(t *testing.T) {
	const fds = `ls /proc/$$/fd`
	for code := range 256 {
		if code%17 == 0 || code > 250 || code == 1 {
			compare(t, run("fghack sh -c", "exit "+itoa(code)))
		}
	}
	for _, sig := range []string{"HUP", "INT", "TERM", "KILL", "SEGV", "PIPE", "USR1", "ABRT"} {
		compare(t, run("fghack sh -c", "kill -"+sig+" $$"))
	}
	compare(t,
		run("fghack true"), run("fghack false"), run("fghack cat"), run("fghack ./nonexist"), run("fghack /"), run("fghack", ""), run("fghack", "sh", "-c", "cat; echo e >&2"),
		sh("fghack", fds), viaBash("exec 5</dev/null 8</dev/null; RUN", sh("fghack", fds)), viaBash("ulimit -n 60; RUN", sh("fghack", fds)),
		viaBash("exec 100</dev/null; RUN", sh("fghack", fds)),
		// Background processes, for which fghack waits.
		run("fghack sh -c", "(head -c 1 fifo; echo later > said) & exit 5"),
		viaBash("mkfifo fifo; exec 4<>fifo; (until test -e left; do :; done; echo x >&4) & RUN", run("fghack sh -c", "(head -c 1 fifo; echo later > said) & touch left; exit 5")),
		// Programs that write to the descriptors of the pipe.
		run("fghack bash -c", "for fd in {3..40}; do test -e /proc/$$/fd/$fd && echo noise >&$fd; done 2>/dev/null; exit 2"),
		run("fghack bash -c", "exec 4>&-; echo hi"), run("fghack sh -c", "exec fghack sh -c 'exit 6'"), run("fghack fghack fghack sh -c", "exit 8"),
		run("fghack printf", "%s|", "a b", "", strings.Repeat("x", 100000)),
		asUser(nobody, run("fghack id")), asUser(nobody, run("fghack /root/x")),
		run("chpst -012 fghack sh -c", "exit 4"),
	)
}

// TestChpst compares the options that only chpst has.
func TestChpst(t *testing.T) {
	compare(t,
		run("chpst -n 5 nice"), run("chpst -n +5 nice"), run("chpst -n -5 nice"), run("chpst -n 0 nice"), run("chpst -n -0 nice"), run("chpst -n + nice"), run("chpst -n - nice"), run("chpst -n", "", "nice"),
		run("chpst -n 100 nice"), run("chpst -n -100 nice"), run("chpst -n 5 -n 3 nice"), run("chpst -n5 nice"), run("chpst -n 4294967297 nice"), run("chpst -n 2147483647 nice"), run("chpst -n 18446744073709551615 nice"),
		asUser(nobody, run("chpst -n 5 nice")), asUser(nobody, run("chpst -n -5 nice")), run("chpst -n 5 -u nobody nice"), run("chpst -n -5 -u nobody nice"), run("chpst -n 19 chpst -n 5 nice"), run("chpst -n -20 chpst -n -5 nice"),
		run("chpst -b name sh -c", "echo $0"), run("chpst -b", "", "cat"), run("chpst -b name nonexist"), run("chpst -b a -b b cat /proc/self/cmdline"), run("chpst -b -x cat /proc/self/cmdline"), run("chpst -b /a/b cat /proc/self/cmdline"),
		run("chpst -/ / pwd"), run("chpst -/ /usr /bin/pwd"), run("chpst -/ /nowhere true"), run("chpst -/ /etc/passwd true"), run("chpst -/ /etc sh"), run("chpst -/", "", "true"), asUser(nobody, run("chpst -/ / true")), run("chpst -/ / -u nobody id"),
		run("chpst -/ . -u nobody true"), run("chpst -/ / -e /nowhere true"), run("chpst -/ /nowhere -e /nowhere true"), run("chpst -/ / -/ /etc true"), run("chpst -/ /proc -l lock true"),
		run("chpst -0 sh -c", "ls /proc/$$/fd"), run("chpst -1 sh -c", "ls /proc/$$/fd >&2"), run("chpst -2 sh -c", "ls /proc/$$/fd"), run("chpst -012 sh -c", "ls /proc/$$/fd > out"), run("chpst -0 -1 -2 -v sh -c", "ls /proc/$$/fd > out; exit 3"),
		run("chpst -0 cat"), run("chpst -1 echo x"), run("chpst -2 nonexist"), run("chpst -00 true"), run("chpst -1 -u nosuch true"), run("chpst -2 -l /no/such true"),
		run("chpst -P true"), run("chpst -Pv -n 1 -o 30 -u nobody -U daemon -012 true"), run("chpst -vvvv true"), run("chpst -- true"), run("chpst -v -- -x"), run("chpst - true"), run("chpst true -v"), run("chpst -vo", "40", "sh", "-c", "ulimit -n"),
		sh("chpst -o40 -c 5 -f 600000 -p 700 -r 8 -t 9 -d 100000000", limitsScript), asUser(nobody, sh("chpst -o 40 -p 30", limitsScript)),
		run("chpst chpst chpst true"), run("chpst -u nobody -/ / true"), run("chpst -e . -/ . true"), run("chpst -l a -n 3 -/ / -e /nowhere -u nosuch true"),
		run("chpst -m 0 nonexist"), run("chpst -m 0 -b x nonexist"), run("chpst -o 0 -p 0 -f 0 -c 0 -d 0 -r 0 nonexist"),
	)
}
