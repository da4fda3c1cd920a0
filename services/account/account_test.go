package account

import (
	"fmt"
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
