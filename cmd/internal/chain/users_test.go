package chain

import (
	"os/exec"
	"strings"
	"testing"

	"svinit/cmd/internal/difftest"
)

const idScript = `id -u; id -g; id -G; grep -E '^([UG]id|Groups|Cap)' /proc/$$/status; env | grep -E '^([UG]ID|HOME|USER|LOGNAME)=' | sort`

// TestUsers compares existing and unknown users.
func TestUsers(t *testing.T) {
	for _, tool := range []string{"setuidgid", "envuidgid", "chpst -u", "chpst -U"} {
		for _, account := range []string{"root", "nobody", "daemon", "nosuch", "0", "65534", "", "+", "-", "roo", "root ", "Root", "root:", "root:x", "root:0", "#", "root\n", strings.Repeat("a", 100000)} {
			c := run(tool, account, "sh", "-c", idScript)
			if strings.Contains(account, "4294967296") || strings.Contains(account, "18446744073709551617") {
				c.Differs = "chpst-range"
			}
			compare(t, c)
		}
		compare(t,
			asUser(nobody, run(tool, "root", "sh", "-c", idScript)), asUser(nobody, run(tool, "nobody", "sh", "-c", idScript)), asUser(nobody, run(tool, "daemon", "sh", "-c", idScript)),
			env(run(tool, "daemon", "sh", "-c", idScript), "UID=7", "GID=8", "HOME=/x", "A=b"), env(run(tool, "daemon", "env"), "UID=7", "B=c", "GID=8", "HOME=/x", "A=b"),
			run(tool, "nobody", "sh", "-c", "exit 9"), run(tool, "nobody", "/root/nothing"), run(tool, "daemon", "setuidgid", "nobody", "true"),
		)
	}
	for _, tool := range []string{"chpst -u", "chpst -U"} {
		many := strings.Repeat(":7", 58)
		for _, account := range []string{
			"nobody:daemon", "nobody:daemon:bin:sys", "nobody:daemon:daemon", "nobody:", "nobody::", "nobody:daemon:", "nobody::daemon", ":daemon", "nobody:nosuch", "nobody:daemon:nosuch", "nosuch:daemon", "nobody:1",
			":", "::", ":::", ":1", ":1:", ":1:2", ":1:2:3", ":1:2:", ":1::3", "::5", ":x", ":1:x", ":1:2x", ":1x:2", ":x:2", ":1:2:x", ":-1:2", ":1:-2", ":+1:2", ": 1:2", ":1: 2", ":0:0",
			":4294967296:4294967297", ":99999:88888", ":18446744073709551617:1", ":1:2" + many, ":1:2:3" + many, ":1:2:3:4" + many, ":1:2:3" + many + ":", ":1:2:3" + many + "::",
			"nobody:daemon" + strings.Repeat(":bin", 58), "nobody:daemon" + strings.Repeat(":bin", 59), "nobody:daemon" + strings.Repeat(":bin", 60), "nobody:daemon" + strings.Repeat(":bin", 59) + ":nosuch", "nobody:daemon" + strings.Repeat(":bin", 59) + ":",
		} {
			c := run(tool, account, "sh", "-c", idScript)
			if strings.Contains(account, "4294967296") || strings.Contains(account, "18446744073709551617") {
				c.Differs = "chpst-range"
			}
			compare(t, c)
		}
	}
	compare(t,
		sh("chpst -u nobody -u daemon", idScript), sh("chpst -u nobody -U daemon:bin", idScript), sh("chpst -U nobody -U daemon", idScript), sh("chpst -u nobody -U nosuch", idScript), sh("chpst -u nosuch -U nobody", idScript),
		sh("chpst -u :4294967295:1", idScript), sh("chpst -u :1:4294967295", idScript), asUser(nobody, sh("chpst -u :65534:65534", idScript)), asUser(nobody, sh("chpst -U :1:2", idScript)),
	)
}

// TestDatabases compares other passwd and group files, which are mounted over those of the
// system in a new mount namespace.
func TestDatabases(t *testing.T) {
	const passwd = `root:x:0:0:root:/root:/bin/sh
# comment:x:1:1::/:
#comment:x:1:1::/:

  lead:x:10:20::/:/bin/sh
trail :x:11:21::/:/bin/sh
twice:x:12:22::/:/bin/sh
twice:x:13:23::/:/bin/sh
broken:x:nan:1::/:
broken:x:14:24::/:
short:x:15:25
shorter:x:15
shortest
empty:x:::/:/bin/sh
emptygid:x:16:::/:/bin/sh
neg:x:-1:-1::/:
big:x:4294967294:4294967294::/:
space:x: 17:18::/:
colons:x:19:29:::::::
+nis:x:30:30::/:
+
-minus:x:31:31::/:
:x:32:32::/:
nopw::33:33::/:
junk:x:34x:35::/:
junkgid:x:34:35x::/:
zero:x:00036:00037::/:
noend:x:38:39::/:`
	const group = `root:x:0:
#g:x:1:
g:x:50:a,b,c
 lead:x:51:
two:x:52:
two:x:53:
broken:x:y:
broken:x:54:
short:x:55
shorter:x
neg:x:-1:
empty:x::
+plus:x:56:
:x:57:
noend:x:58:`
	for i, c := range []struct{ passwd, group string }{{passwd, group}, {"", ""}, {"\n\n\n", "\n"}, {passwd[:40], "x"}, {"\x00root:x:0:0::/:\nnobody:x:5:5::/:\n", group}, {strings.Repeat("x", 100000) + ":x:1:1::/:\nnobody:x:6:6::/:\n", "g:x:9:" + strings.Repeat("member,", 20000) + "\n"}} {
		names := []string{"root", "nobody"}
		groups := []string{"g"}
		if i == 0 {
			names = []string{"root", "# comment", "#comment", "comment", "lead", "  lead", "trail", "trail ", "twice", "broken", "short", "shorter", "shortest", "empty", "emptygid", "neg", "big", "space", "colons", "+nis", "nis", "+", "-minus", "", "nopw", "junk", "junkgid", "zero", "noend"}
			groups = []string{"root", "#g", "g", "lead", " lead", "two", "broken", "short", "shorter", "neg", "empty", "+plus", "", "noend"}
		}
		for _, name := range names {
			compare(t, withDatabases(c.passwd, c.group, run("envuidgid", name, "sh", "-c", idScript)))
		}
		for _, name := range groups {
			compare(t, withDatabases(c.passwd, c.group, run("chpst", "-U", "root:"+name, "sh", "-c", idScript)))
		}
	}
	compare(t, withoutDatabases(run("setuidgid root true")), withoutDatabases(run("chpst -u root true")), withoutDatabases(run("chpst -U :1:2 true")))
}

// withDatabases runs a case with these files as /etc/passwd and /etc/group.
func withDatabases(passwd, group string, c difftest.Case) difftest.Case {
	return withMount("for f in passwd group nsswitch.conf; do mount --bind $d/$f /etc/$f; done", files(c, map[string]string{
		"passwd": passwd, "group": group, "nsswitch.conf": "passwd: files\ngroup: files\n",
	}))
}

// withoutDatabases runs a case with an empty /etc.
func withoutDatabases(c difftest.Case) difftest.Case { return withMount("mount -t tmpfs none /etc", c) }

func withMount(mount string, c difftest.Case) difftest.Case {
	c.Before = func(cmd *exec.Cmd) {
		script := `d=$1 name=$2 program=$3; shift 3; ` + mount + ` && exec -a "$name" "$program" "$@"`
		cmd.Args = append([]string{"unshare", "-m", "bash", "-c", script, "bash", cmd.Dir, cmd.Args[0], cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/usr/bin/unshare"
	}
	return c
}

func FuzzIdentity(f *testing.F) {
	for _, s := range []string{"", ":", ":1:2", ":1:2:", "nobody", "root:daemon", ":x", ":1:2:3:4:5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, gids, err := parseIdentity(s)
		if err == nil && (len(gids) == 0 || len(gids) > maxGroups) {
			t.Fatalf("%q has %d groups", s, len(gids))
		}
	})
}
