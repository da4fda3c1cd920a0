package proc

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// rest is what follows the command, of a real process.
const rest = " S 612 700 613 34816 700 4194304 96 0 0 0 1 2 0 0 20 0 1 0 12345 7532544 883 18446744073709551615\n"

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want Process
		bad  bool
	}{
		{text: "700 (cat)" + rest, want: Process{7, "cat", 'S', 612, 613, 12345}},
		{text: "700 ()" + rest, want: Process{7, "", 'S', 612, 613, 12345}},
		{text: "700 (a) Z 1 1 (b)" + rest, want: Process{7, "a) Z 1 1 (b", 'S', 612, 613, 12345}},
		{text: "700 ((\n))" + rest, want: Process{7, "(?)", 'S', 612, 613, 12345}},
		{text: "700 (\x1b[2Jü\x7f)" + rest, want: Process{7, "?[2J??", 'S', 612, 613, 12345}},
		{text: "", bad: true},
		{text: "700 cat" + rest, bad: true},
		{text: ") (", bad: true},
		{text: "700 (cat) S 612 700 613", bad: true},
		{text: "700 (cat)" + strings.Replace(rest, "612", "x", 1), bad: true},
		{text: "700 (cat)" + strings.Replace(rest, "12345", "-1", 1), bad: true},
	} {
		if c.bad {
			c.want.PID = 7
		}
		if got, err := parse(7, []byte(c.text)); got != c.want || (err != nil) != c.bad {
			t.Errorf("%q: %+v, %v", c.text, got, err)
		}
	}
}

// FuzzParse: whatever the command is, it does not change the other fields.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"cat", "", ")", "(", ") R 1 1 1", "\n", "a b", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, comm string) {
		p, err := parse(7, []byte("700 ("+comm+")"+rest))
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(p.Name, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q is not printable", p.Name)
		}
		if p.Name = ""; p != (Process{7, "", 'S', 612, 613, 12345}) {
			t.Errorf("%q: %+v", comm, p)
		}
		parse(7, []byte(comm)) // does not panic
	})
}

// TestRead compares what is read of this process, and of a zombie, with what
// else is known of them.
func TestRead(t *testing.T) {
	if !OwnNamespace() {
		t.Skip("/proc is that of another PID namespace")
	}
	me, err := Read(os.Getpid())
	if err != nil || me.PID != os.Getpid() || me.Parent != os.Getppid() || me.Name == "" || me.Start == 0 {
		t.Errorf("%+v, %v", me, err)
	}
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, p := range all {
		if p.PID == me.PID {
			found = p.Start == me.Start
		}
	}
	if !found {
		t.Errorf("%+v is not in %+v", me, all)
	}
	child := exec.Command("true")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	out.Read(make([]byte, 1)) // to its end
	p, err := Read(child.Process.Pid)
	if err != nil || p.Parent != os.Getpid() || Parent(child.Process.Pid) != os.Getpid() || Name(child.Process.Pid) != p.Name {
		t.Errorf("%+v, %v", p, err)
	}
	child.Wait()
	if p, err := Read(child.Process.Pid); err == nil && p.Parent == os.Getpid() {
		t.Errorf("after its end: %+v", p)
	}
}
