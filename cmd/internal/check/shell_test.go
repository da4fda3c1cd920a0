package check

import (
	"strings"
	"testing"
)

// findingsOf returns what is found in the script run: LINE: TEXT.
func findingsOf(t *testing.T, content string, files tree) string {
	t.Helper()
	all := tree{"run": content}
	for name, content := range files {
		all[name] = content
	}
	out, _ := check(t, all)
	return strings.TrimSuffix(strings.ReplaceAll(out, "DIR/run:", ""), "\n")
}

// How a script ends.
func TestShells(t *testing.T) {
	exec := func(name string) string {
		return "warning: " + name + " is started without exec, so signals reach the shell and not it: put exec before it"
	}
	const pipe = "warning: the script ends with a pipeline, so signals reach the shell and not the program: use log/run, and exec the program alone"
	for _, c := range []struct{ script, want string }{
		{"exec server", ""},
		{"server", "2: " + exec("server")},
		{"/usr/sbin/server -x", "2: " + exec("server")},
		{"PORT=80 ./server", "2: " + exec("server")},
		{`"$SERVER" -x`, "2: " + exec("the program")},
		{"cd /\nexec 2>&1\nserver \\\n  -x\n", "4: " + exec("server")},
		{"server &", "2: error: " + textBackground},
		{"nohup server >/dev/null 2>&1 &\n", "2: error: " + textBackground},
		{"{ server; } &", "2: error: " + textBackground},
		{"server &\necho started\nexit 0", "2: error: " + textBackground},
		{"server &\nwait $!\nexit 1", ""},
		{"server\nexit", ""},
		{"server &\nwait $!", ""},
		{"server & pid=$!\ntrap 'kill $pid' TERM\nwait", ""},
		{"trap 'kill $!' TERM\nserver", ""},
		{"if test -e x; then exec a; else b; fi", "2: " + exec("b")},
		{"if test -e x; then a &\nelif test -e y; then exec b; else exit 1; fi", "2: error: " + textBackground},
		{"case $1 in a) exec a;; b) b;; *) exit 1; esac", "2: " + exec("b")},
		{"test -x /s && exec /s", ""},
		{"test -x /s && /s", "2: " + exec("s")},
		{"exec a || exit 1", ""},
		{"a || exit 1", "2: " + exec("a")},
		{"main() {\n exec a\n}\nmain", ""},
		{"main() {\n a\n}\nmain \"$@\"", "3: " + exec("a")},
		{"while :; do a; sleep 5; done", ""},
		{"for i in 1 2; do a; done", ""},
		{"a | b", "2: " + pipe},
		{"exec a 2>&1 | b", "2: " + pipe},
		{"exec -a name server", ""},
		{"command exec server", ""},
		{"exec env -i A=b server", ""},
		{"setuidgid nobody server", "2: " + exec("setuidgid")},
		{"sv down .", ""},
		{"if [", "2: warning: a shell may not understand this: "},
	} {
		got := strings.ReplaceAll(findingsOf(t, sh+c.script, nil), "\n", "; ")
		if want := strings.TrimSpace(c.want); got != want && !(strings.HasSuffix(c.want, ": ") && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s\n got %s\nwant %s", c.script, got, c.want)
		}
	}
	for _, first := range []string{"#!/usr/bin/env bash\n", "#!/bin/bash -e\n"} {
		if got := findingsOf(t, first+"server", nil); got != "2: "+exec("server") {
			t.Errorf("%s: %s", first, got)
		}
	}
	if got := findingsOf(t, "#!/usr/bin/env -S awk -f\nserver", nil); strings.Contains(got, "exec") {
		t.Errorf("a script of another language: %s", got)
	}
}

func TestInterpreterName(t *testing.T) {
	for line, want := range map[string]string{
		"#!/bin/sh": "sh", "#! /bin/sh -e": "sh", "#!/usr/bin/env bash": "bash", "#!/usr/bin/env -S A=b bash -e": "bash", "#!/command/with-contenv sh": "sh",
		"#!/usr/bin/with-contenv bash": "bash", "#!/command/execlineb -P": "execlineb", "#!/bin/busybox sh": "busybox", "\x7fELF": "", "#!": "",
	} {
		if got := interpreterName(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestLoaders(t *testing.T) {
	for _, c := range []struct{ command, want string }{
		{"server -d", "server -d"},
		{"chpst -u www -P -m 100 server -u", "server -u"},
		{"chpst -uwww:www -e ./env server", "server"},
		{"setuidgid nginx server", "server"},
		{"envdir ./env setuidgid nginx nice -n 5 server", "server"},
		{"softlimit -m 5000000 -o 10 server", "server"},
		{"s6-notifyoncheck -d -n 5 s6-setuidgid nginx server", "server"},
		{"env -i -u A B=c D=e server", "server"},
		{"setpriv --reuid=www --regid www --init-groups server", "server"},
		{"sudo -E -u nginx -- server -x", "server -x"},
		{"timeout -k 5 60 server", "server"},
		{"stdbuf -oL server", "server"},
		{"tini -g -- server", "server"},
		{"nice -10 server", "server"},
		{"setlock -n", ""},
		{"chpst -u", ""},
		{"", ""},
	} {
		var words []word
		for text := range strings.FieldsSeq(c.command) {
			words = append(words, word{text, true})
		}
		var rest []string
		for _, w := range skipLoaders(words) {
			rest = append(rest, w.text)
		}
		if got := strings.Join(rest, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.command, got, c.want)
		}
	}
}
