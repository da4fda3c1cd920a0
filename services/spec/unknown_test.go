package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pointedOut returns the hints of a service directory, NAME: TEXT each.
func pointedOut(t *testing.T, dir string) string {
	t.Helper()
	_, problems := Load(Source{Name: "web", Dir: dir})
	text := ""
	for _, p := range problems {
		if !p.Hint || p.Fatal || p.Verb != "use" {
			t.Errorf("not a hint: %+v", p)
		}
		text += filepath.Base(p.File) + ": " + p.Err.Error() + "\n"
	}
	return text
}

// What was meant for a supervisor and has no effect is pointed out.
func TestPointOut(t *testing.T) {
	const dir = "/" // in place of the content of a directory
	for _, c := range []struct{ name, content, want string }{
		{"lock-fd", "3", "this version of svinit does not act on it (a file of s6: put setlock into run instead)"},
		{"max-death-tally", "7", "this version of svinit does not act on it (a file of s6, which has tools that count deaths)"},
		{"flag-essential", "", "this version of svinit does not act on it (a file of s6-rc)"},
		{"dependencies.d", dir, "this version of svinit does not act on it (a directory of s6-rc: all services start at once)"},
		{"type", "oneshot\n", "this version of svinit does not act on it"},
		{"check", "#!/bin/sh", "this version of svinit does not act on it (only sv(8) runs it, as runit's does)"},
		{"type", "longrun\n", ""},
		{"check", "data", ""},
		{"signals/x", "", ""},

		{"finsh", "#!/bin/sh", "it has no meaning: is finish meant?"},
		{"Finish", "#!/bin/sh", "it has no meaning: is finish meant?"},
		{"donw", "", "it has no meaning: is down meant?"},
		{"time-kill", "5", "it has no meaning: is timeout-kill meant?"},
		{"timeout_kill", "5", "it has no meaning: is timeout-kill meant?"},
		{"Timeout-Kill", "5", "it has no meaning: is timeout-kill meant?"},
		{"timeoutkill", "5", "it has no meaning: is timeout-kill meant?"},
		{"timeout-kil", "5", "it has no meaning: is timeout-kill meant?"},
		{"timeot-finsh", "5", "it has no meaning: is timeout-finish meant?"},
		{"down-singal", "INT", "it has no meaning: is down-signal meant?"},
		{"down.signal", "INT", "it has no meaning: is down-signal meant?"},
		{"down-sig", "INT", "it has no meaning: is down-signal meant?"},
		{"notificaton-fd", "3", "it has no meaning: is notification-fd meant?"},
		{"flag-timeout-killgp", "", "it has no meaning: is flag-timeout-killpg meant?"},
		{"dependancies.d", dir, "it has no meaning: is dependencies.d meant?"},

		// What an application may have.
		{"finish", "#!/bin/sh", ""},
		{"finsh", "not executable", ""},
		{"finish.sh", "#!/bin/sh", ""},
		{"finish1", "#!/bin/sh", ""},
		{"finish~", "#!/bin/sh", ""},
		{"_finish", "#!/bin/sh", ""},
		{"finished", "#!/bin/sh", ""},
		{"town", "Paris", ""},
		{"dawn", "x", ""},
		{"timeout-kill.bak", "5", ""},
		{"timeout-kill/x", "", "not a regular file"},
		{"timeout-kil/x", "", ""},
		{"timeout", "5", ""},
		{"timeout-connect", "5", ""},
		{"timeout-idle", "5", ""},
		{"user-data", "x", ""},
		{"log-level", "x", ""},
		{"log-files", dir, ""},
		{"lock-file", "", ""},
		{"env-file", "", ""},
		{"pid-file", "", ""},
		{"ready", "", ""},
		{"on-start", "#!/bin/sh", ""},
		{"run.sh", "#!/bin/sh", ""},
		{"runs", "#!/bin/sh", ""},
		{"data/check", "#!/bin/sh", ""},
		{"event/x", "", ""},
		{"config", "", ""},
		{"start", "#!/bin/sh", ""},
		{"server-config.json", "", ""},
		{".timeout-kil", "", ""},
		{"a-very-long-name-of-an-application", "", ""},
		{"-", "", ""},
		{"--", "", ""},
		{"..d", "", ""},
	} {
		files := map[string]string{"run": "#!"}
		if c.content != dir {
			files[c.name] = c.content
		} else {
			files[c.name+"/other"] = ""
		}
		if c.want == "not a regular file" {
			continue // a problem of another kind
		}
		want := ""
		if c.want != "" {
			want = c.name + ": " + c.want + "\n"
		}
		if got := pointedOut(t, lay(t, files)); got != want {
			t.Errorf("%s:\n got %swant %s", c.name, got, want)
		}
	}
}

// A service of s6-overlay says that it depends on the boot of the container.
func TestDefaultsOfS6(t *testing.T) {
	files := map[string]string{"run": "#!", "type": "longrun", "dependencies.d/base": "", "dependencies": "base\nlegacy-cont-init\n"}
	if got := pointedOut(t, lay(t, files)); got != "" {
		t.Error(got)
	}
	files["dependencies"] = "base\nmysql\n"
	if got := pointedOut(t, lay(t, files)); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "dependencies: ") {
		t.Error(got)
	}
}

// Of the names that svinit acts on none looks like a mistyped other one, and
// each is found with one letter swapped, added or left out.
func TestTyposOfAllNames(t *testing.T) {
	known := append([]string{}, names[:]...)
	for _, f := range foreign {
		known = append(known, f.name)
	}
	for _, a := range known {
		if !mayMean([]byte(a)) {
			t.Errorf("%s cannot be a name", a)
		}
		for _, b := range known {
			if a != b && isMistyped(a, b) {
				t.Errorf("%s looks like %s", a, b)
			}
		}
		if len(a) < 9 {
			continue
		}
		for i := 1; i < 5; i++ { // the first part of each is long enough for one mistake, or its last
			for _, typo := range []string{a[:i] + a[i+1:], a[:i] + "x" + a[i:], a[:i-1] + a[i:i+1] + a[i-1:i] + a[i+1:]} {
				if first, _ := cutPart(a); len(first) >= 6 && !isMistyped(typo, a) {
					t.Errorf("%s is not found to be %s", typo, a)
				}
			}
		}
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"finsh", "finish", 1}, {"finihs", "finish", 1}, {"fnish", "finish", 1},
		{"abc", "cab", 2}, {"kitten", "sitting", 3}, {"abcdef", "x", 3}, {strings.Repeat("a", 30), strings.Repeat("a", 30), 3},
	} {
		if got := edits(c.a, c.b, 2); min(got, 3) != c.want {
			t.Errorf("%s, %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// The data of an application is not searched for typos at every start.
func TestManyUnknown(t *testing.T) {
	dir := lay(t, map[string]string{"run": "#!"})
	for i := range 300 {
		name := "data-" + strings.Map(func(r rune) rune { return 'a' + (r-'a')%26 }, string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676)))
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := pointedOut(t, dir); got != "" {
		t.Error(got)
	}
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, unknown := list(int(d.Fd())); len(unknown) > maxUnknown {
		t.Errorf("%d names", len(unknown))
	}
}
