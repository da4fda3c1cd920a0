package account

import (
	"fmt"
	"slices"
	"testing"
)

func TestEntry(t *testing.T) {
	for text, want := range map[string]string{
		"x:y:1:2": "[x y 1 2]", "x:y:1:2\n": "[x y 1 2]", "": "[]", "x:y:1\nx::3:4\n": "[x  3 4]", "#x:y:1:2\nx:y:a:2\n \tx:y:3: 4:z\n": "[x y 3  4]",
	} {
		if got := entry([]byte(text), "x", 4); fmt.Sprint(got) != want {
			t.Errorf("%q: %v, want %s", text, got, want)
		}
	}
}

func TestUserAndGroup(t *testing.T) {
	const passwd, group = "root:x:0:0:root:/root:/bin/sh\nbig:x:1:99999999999:::\n+:x:7:7:::\n", "root:x:0:\nadm:x:4:root,big\n:x:9:\n"
	for name, want := range map[string]string{"root": "0 0 true", "big": "1 4294967295 true", "+": "0 0 false", "": "0 0 false", "adm": "0 0 false"} {
		uid, gid, ok := User([]byte(passwd), name)
		if got := fmt.Sprint(uid, gid, ok); got != want {
			t.Errorf("user %q: %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{"root": "0 true", "adm": "4 true", "big": "0 false", "": "9 true"} {
		gid, ok := Group([]byte(group), name)
		if got := fmt.Sprint(gid, ok); got != want {
			t.Errorf("group %q: %s, want %s", name, got, want)
		}
	}
}

func TestLookup(t *testing.T) {
	passwd := []byte("root:x:0:0:root:/root:/bin/sh\n#no:x:1:1::/:\nweb:x:33:34:Web, the:/var/www:\nshort:x:35:36\nbad:x:y:1::/:/bin/sh\nalias:x:33:99::/other:/bin/sh\nhuge:x:99999999999:1::/:\n")
	for _, c := range []struct {
		name string
		want Account
		ok   bool
	}{
		{"root", Account{"root", 0, 0, "/root", "/bin/sh"}, true},
		{"web", Account{"web", 33, 34, "/var/www", ""}, true},
		{"short", Account{"short", 35, 36, "", ""}, true},
		{"huge", Account{"huge", 1<<32 - 1, 1, "/", ""}, true},
		{"bad", Account{}, false}, {"#no", Account{}, false}, {"", Account{}, false}, {"we", Account{}, false},
	} {
		if got, ok := Lookup(passwd, c.name); got != c.want || ok != c.ok {
			t.Errorf("%s: %+v, %v", c.name, got, ok)
		}
	}
	if a, ok := LookupID(passwd, 33); !ok || a.Name != "web" {
		t.Errorf("33: %+v, %v", a, ok)
	}
	if _, ok := LookupID(passwd, 7); ok {
		t.Error("7 is there")
	}
}

func TestMemberships(t *testing.T) {
	group := []byte("root:x:0:\nadm:x:4:web,syslog\nweb:x:33:\nbad:x:y:web\n#c:x:5:web\nlog:x:6: web \nother:x:7:webby\nshort:x:8\n")
	if got := Memberships(group, "web"); !slices.Equal(got, []uint32{4, 6}) {
		t.Errorf("%v", got)
	}
	if got := Memberships(group, "root"); len(got) > 0 {
		t.Errorf("%v", got)
	}
}
