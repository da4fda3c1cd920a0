package logdir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRemoved removes or renames current: the next lines go to a new one, and
// nothing pauses.
func TestRemoved(t *testing.T) {
	d, name := open(t, Config{Size: MinSize, Keep: 10, Pause: never(t)})
	current := filepath.Join(name, "current")
	put := func(line string) {
		d.Put([]byte(line))
		d.Rest([]byte("\n"))
		d.Flush()
	}
	put("first")
	if err := os.Remove(current); err != nil {
		t.Fatal(err)
	}
	put("second")
	if b, err := os.ReadFile(current); err != nil || string(b) != "second\n" {
		t.Errorf("current has %q, %v", b, err)
	}
	if err := os.Rename(current, name+"/elsewhere"); err != nil {
		t.Fatal(err)
	}
	d.Rotate()
	put("third")
	if b, err := os.ReadFile(current); err != nil || string(b) != "third\n" {
		t.Errorf("current has %q, %v", b, err)
	}
	if lost, err := d.Close(); lost != 0 || err != nil {
		t.Error(lost, err)
	}
}

// TestLinks has links in the directory, which those can make who may write to
// it: nothing is made or written elsewhere.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	victim := dir + "/victim"
	if err := os.WriteFile(victim, []byte("precious"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"lock", "current", "state"} {
		for _, target := range []string{victim, dir + "/made"} {
			name := filepath.Join(t.TempDir(), "d")
			if err := os.Mkdir(name, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, name+"/"+file); err != nil {
				t.Fatal(err)
			}
			d, err := Open(name, Config{Size: MinSize, Keep: 10, Pause: never(t)})
			if err == nil {
				d.Put([]byte("line"))
				d.Rest([]byte("\n"))
				d.Close()
			} else if file != "lock" || !strings.Contains(err.Error(), "unable to lock directory "+name) {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	if b, err := os.ReadFile(victim); err != nil || string(b) != "precious" {
		t.Errorf("victim has %q, %v", b, err)
	}
	if fi, err := os.Stat(victim); err != nil || fi.Mode() != 0o700 {
		t.Errorf("victim: %v, %v", fi.Mode(), err)
	}
	if _, err := os.Lstat(dir + "/made"); err == nil {
		t.Error("the target of a link was made")
	}
}
