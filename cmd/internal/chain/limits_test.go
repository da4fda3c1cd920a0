package chain

import (
	"fmt"
	"strings"
	"testing"

	"svinit/cmd/internal/difftest"
)

// TestSoftlimit compares the option letters.
func TestSoftlimit(t *testing.T) {
	for _, letter := range "acdflmoprst" {
		for _, value := range []string{"=", "", "18446744073709551614", "9223372036854775808", "99999999999999999999999", "0000000000000000000000000000000000000000100000000"} {
			if letter == 't' || letter == 'o' || letter == 'a' || letter == 'm' || letter == 'd' || letter == 's' {
				if value == "" {
					continue // a limit of 0 stops the shell: TestTinyLimits has these
				}
			}
			if letter == 't' && value != "=" && len(value) < 30 && value[0] != '1' {
				continue // seconds that overflow the kernel's 64-bit nanoseconds
			}
			compare(t, run("softlimit", "-"+string(letter), value, "sh", "-c", limitsScript))
			if strings.ContainsRune("cdfmoprt", letter) {
				compare(t, run("chpst", "-"+string(letter), value, "sh", "-c", limitsScript))
			}
		}
	}
	compare(t,
		sh("softlimit -o50", "ulimit -Sn; ulimit -Hn"), sh("softlimit -o 50 -o 60", "ulimit -Sn"), sh("softlimit -o 60 -o =", "ulimit -Sn"), sh("softlimit -o =", "ulimit -Sn"),
		viaBash("ulimit -Hn 200; RUN", sh("softlimit -o 300", "ulimit -Sn")), viaBash("ulimit -Sn 200; RUN", sh("softlimit -o =", "ulimit -Sn")), viaBash("ulimit -Sn 200; RUN", sh("softlimit -c 0", "ulimit -Sn")),
		viaBash("ulimit -Sn 200; RUN", sh("softlimit -o 300", "ulimit -Sn; ulimit -Hn")),
		sh("softlimit -m 200000000 -d 100000000 -s 8000000", limitsScript), sh("softlimit -d 100000000 -m 200000000", limitsScript),
		sh("softlimit -c5 -f6000 -l7000 -p800 -r9000 -t10", limitsScript), sh("softlimit", limitsScript), sh("softlimit --", limitsScript),
		asUser(nobody, sh("softlimit -o 100 -p 1000", limitsScript)), asUser(nobody, sh("softlimit -p 1", limitsScript)), asUser(nobody, sh("softlimit -p 0", limitsScript)),
		asUser(nobody, sh("chpst -p 1", limitsScript)), sh("chpst -m 200000000 -o 33 -c 1000", limitsScript), sh("chpst -o 33 -o 18446744073709551614", limitsScript),
		viaBash("ulimit -Sn 200; RUN", sh("chpst -o 18446744073709551615", "ulimit -Sn")),
		sh("softlimit -f 100", "trap '' XFSZ; seq 1000 > out; wc -c < out"),
	)
}

// TestTinyLimits compares limits under which the Go runtime cannot work.
func TestTinyLimits(t *testing.T) {
	for _, letter := range "adsmplotrfc" {
		for _, n := range []int{0, 4096, 1000000, 3000000, 100000000} {
			if letter == 'o' && n == 4096 {
				n = 3
			}
			if letter == 't' && n == 0 {
				continue // a program may exit before the kernel checks the limit
			}
			word := fmt.Sprintf("-%c%d", letter, n)
			compare(t, run("softlimit", word, "/bin/true"), run("softlimit", word, "nonexist"))
			if !strings.ContainsRune("asl", letter) && n%1000 == 0 {
				compare(t, run("chpst", word, "/bin/true"), asUser(nobody, run("chpst", word, "nonexist")))
			}
		}
	}
	big := strings.Repeat("x", 100000)
	compare(t, run("softlimit -s 100000 /bin/echo", big), run("softlimit -s 100000 /bin/echo", big, big), run("softlimit -s 1000000 /bin/echo", big, big, big, big), run("softlimit -s 8000000 /bin/echo", big, big, big))
}

// TestInProcessChains compares chains of our tools, which run in one process.
func TestInProcessChains(t *testing.T) {
	theirs, ours := originalDir(t), installLinks(t)
	d := map[string]string{"env/A": "1\n", "env/PATH": "/bin\n", "env/B": "", "e2/A": "2", "e2/UID": ""}
	for i, c := range []difftest.Case{
		sh("softlimit -m 3000000 setuidgid nobody", "id"),
		run("softlimit -m 3000000 setuidgid nobody /bin/true"),
		differs("limits-later", run("softlimit -a 1000 setuidgid nobody softlimit -a = envdir env /bin/echo hi")),
		run("softlimit -d 1000000 envuidgid nobody envdir e2 env"),
		run("setuidgid nobody softlimit -o 1000 envdir env sh -c", "id; ulimit -n; env | sort"),
		run("envdir env setuidgid nobody true"), // setuidgid is only in the inherited PATH, which counts
		run("envdir env nonexist"), run("envdir e2 envdir env chpst -e e2 -o 30 sh -c", "ulimit -n; env | sort"),
		run("setuidgid nobody setuidgid root true"), run("setuidgid nobody softlimit -o x true"), run("setuidgid nobody envdir"), run("setuidgid nobody softlimit -z"),
		run("setuidgid nobody setlock /etc/nobody.lock true"), run("setuidgid nobody setlock -x /etc/nobody.lock true"), run("setlock lock setlock -n lock true"),
		run("setlock lock setlock -nx lock true"), run("setlock a setlock b ls -l"), run("pgrphack fghack sh -c", "exit 3"), differs("limits-later", run("softlimit -o 20 fghack sh -c", "ulimit -n; exit 4")),
		run("softlimit -c 0 fghack sh -c", "ulimit -c; kill -9 $$"), run("fghack softlimit -o 60 sh -c", "ulimit -n"), run("fghack setuidgid nobody nonexist"),
		run("chpst -b setuidgid softlimit nobody id"), run("chpst -b x softlimit nobody id"), run("chpst -n 3 chpst -n 4 nice"), run("chpst -u nobody chpst -u root true"),
		run("chpst -e env chpst -u nobody sh -c", "id; env | sort"), run("chpst -0 chpst -v -u nobody sh -c", "ls /proc/self/fd | head -1"),
		run("pgrphack pgrphack pgrphack pgrphack pgrphack nonexist"), run("softlimit -o 40 nonexist"), run("softlimit -o 40 chpst -/ / -o 41 sh -c", "ulimit -n"),
		asUser(nobody, run("softlimit -p 1 softlimit -o 30 pgrphack /bin/echo hi")), asUser(nobody, run("softlimit -p 0 setlock f softlimit -a 9000000 /bin/echo hi")),
		run("softlimit -m 3000000 svok nowhere"), run("softlimit -m 3000000 setuidgid nobody svstat nowhere"), differs("limits-own", asUser(nobody, run("softlimit -p 0 -s 5000 svc -u nowhere"))),
		run("softlimit -r 5 sh -c", "exec softlimit -o 30 sh -c 'ulimit -n'"),
	} {
		t.Run(fmt.Sprintf("%02d %s", i, c.Tool), func(t *testing.T) {
			t.Parallel()
			c.Files = d
			c.Mask = func(s string) string {
				return strings.ReplaceAll(strings.ReplaceAll(s, ours, "BIN"), theirs, "BIN")
			}
			real := difftest.Real(t, c.Tool, pkg(c.Tool))
			a := env(c, "PATH="+theirs+":/bin").Run(t, real)
			b := env(c, "PATH="+ours+":/bin").Run(t, difftest.Binary())
			if c.Differs != "" {
				if a == b {
					t.Errorf("%s %q: nothing differs", c.Tool, c.Args)
				}
			} else if a != b {
				t.Errorf("%s %q\ntheirs: %s\nours:   %s", c.Tool, c.Args, a, b)
			}
		})
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"", "0", "50", "18446744073709551617", "5k", "-1", "=", " 5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := parseSoftLimit(s)
		if digits := strings.Trim(s, "0123456789") == ""; ok != (digits || s == "=") {
			t.Fatalf("%q: %v", s, ok)
		}
		if !ok || s == "=" {
			return
		}
		if short := strings.TrimLeft(s, "0"); len(short) < 19 && short != "" && fmt.Sprint(n) != short {
			t.Fatalf("%q is %d", s, n)
		}
		if again, _ := parseSoftLimit("0" + s); again != n {
			t.Fatalf("0%s is %d", s, again)
		}
	})
}
