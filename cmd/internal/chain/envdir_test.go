package chain

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"svinit/cmd/internal/difftest"
)

// envdirFiles are the files of TestEnvdir.
var envdirFiles = map[string]string{
	"d/PLAIN": "value\n", "d/NOEND": "value", "d/EMPTY": "", "d/LINEFEED": "\n", "d/BLANKS": " \t \n", "d/TRAIL": "a b \t \t\n", "d/LEAD": "  a\n",
	"d/TWO": "one\ntwo\n", "d/NUL": "a\x00b\x00\n", "d/NULEND": "a\x00 \x00\nrest", "d/ONLYNUL": "\x00", "d/BLANKNUL": " \x00 ", "d/CR": "a\r\n", "d/BYTES": "\xff\xfe\x01\n",
	"d/LONG": strings.Repeat("0123456789", 10000) + "\n", "d/LATE": strings.Repeat("\n", 1000) + "x", "d/256": strings.Repeat("y", 256), "d/255": strings.Repeat("y", 255), "d/257": strings.Repeat("y", 257) + "\nz",
	"d/.hidden": "x", "d/with space": "x", "d/A=B": "x", "d/C=": "x", "d/=D": "x", "d/E=F": "", "d/=": "", "d/OLD": "new", "d/GONE": "", "d/\xff": "x", "d/nl\n": "x",
	"empty/": "", "sub/dir/": "", "sub/A": "1", "file": "x", "loop/B": "",
}

// withEnvdirFiles returns a function that gives a case these files and an
// environment. All cases share one directory, because its order is visible in the
// output.
func withEnvdirFiles(t *testing.T) func(difftest.Case) difftest.Case {
	t.Helper()
	shared := difftest.OpenDir(t)
	for name, content := range envdirFiles {
		path := filepath.Join(shared, name)
		must(t, os.MkdirAll((shared + "/" + name)[:strings.LastIndex(shared+"/"+name, "/")], 0o755))
		if !strings.HasSuffix(name, "/") {
			must(t, os.WriteFile(path, []byte(content), 0o644))
		}
	}
	for name, target := range map[string]string{"d/LINK": "PLAIN", "loop/A": "A"} {
		must(t, os.Symlink(target, filepath.Join(shared, name)))
	}
	inherited := []string{"OLD=old", "GONE=here", "A=a", "C=c", "E=e", "Z=z", "NIL=nil", "=q", "nothing"}
	return func(c difftest.Case) difftest.Case {
		return setup(env(c, inherited...), func(dir string) error {
			for _, name := range []string{"d", "empty", "sub", "loop", "file"} {
				if err := os.Symlink(filepath.Join(shared, name), filepath.Join(dir, name)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// TestEnvdir compares envdir and chpst -e with directories of all kinds.
func TestEnvdir(t *testing.T) {
	d := withEnvdirFiles(t)
	for _, tool := range []string{"envdir", "chpst -e", "chpst -ve"} {
		compare(t,
			d(run(tool+" d env")), d(run(tool+" d env -0")), d(run(tool+" ./d/ env")), d(run(tool+" empty env")), d(run(tool+" sub env")), d(run(tool+" file env")), d(run(tool+" nowhere env")),
			d(run(tool, "", "env")), d(run(tool+" . env")), d(run(tool+" loop env")), d(sh(tool+" d", "pwd; ls")), d(run(tool, strings.Repeat("x", 5000), "env")), d(run(tool, strings.Repeat("x", 255), "env")),
			differs("dangling-link", setup(env(run(tool+" d env"), "N7=old", "N200=old"), func(dir string) error {
				must(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
				for i := range 300 {
					must(t, os.Symlink("nowhere", fmt.Sprintf("%s/d/N%d", dir, i)))
					if i == 150 {
						must(t, os.WriteFile(filepath.Join(dir, "d/A"), []byte("x\n"), 0o644))
					}
				}
				return nil
			})),
			setup(env(run(tool+" d env"), "N=old"), func(dir string) error {
				must(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
				return os.Symlink("nowhere", filepath.Join(dir, "d/N"))
			}),
			setup(run(tool+" d true"), func(dir string) error {
				return os.MkdirAll(filepath.Join(dir, "d/A/B"), 0o700)
			}),
			setup(run(tool+" d env"), func(dir string) error {
				must(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
				return syscall.Mkfifo(filepath.Join(dir, "d/A"), 0o644)
			}),
			asUser(nobody, setup(run(tool+" d env"), mode("d", 0o311))), asUser(nobody, setup(run(tool+" d env"), mode("d", 0o444))), asUser(nobody, setup(run(tool+" d env"), mode("d", 0))), asUser(nobody, setup(run(tool+" d env"), mode("d/A", 0))),
			setup(run(tool+" d env"), func(dir string) error {
				must(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
				return os.Symlink("/dev/null", filepath.Join(dir, "d/A"))
			}),
			setup(run(tool+" d true"), func(dir string) error {
				must(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
				return os.WriteFile(filepath.Join(dir, "d/A"), bytes.Repeat([]byte("x"), 3<<20), 0o644)
			}),
			viaBash("mkdir gone; cd gone; rmdir ../gone; RUN", run(tool+" /etc/dpkg true")),
			viaBash(`mkdir e; echo /nowhere > e/PATH; RUN`, run(tool+" e true")), viaBash(`mkdir e; echo "$PWD" > e/PATH; echo 1 > e/A; PATH=; RUN`, run(tool+" e /usr/bin/env")),
			viaBash(`unset A; mkdir e; : > e/PATH; RUN`, run(tool+" e /usr/bin/env")), viaBash(`mkdir e; for i in {1..300}; do echo $i > e/V$i; done; RUN`, run(tool+" e env")),
		)
	}
	compare(t, d(run("chpst -e d -U nobody env")), d(run("chpst -e empty -e sub env")), d(run("chpst -e d -u nobody -o 50 env")), asUser(nobody, setup(run("chpst -v -e d -u nobody env"), mode("d/A", 0))))
}

// mode returns a function that creates d/A and changes the mode of d or d/A.
func mode(name string, mode os.FileMode) func(dir string) error {
	return func(dir string) error {
		if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "d/A"), []byte("x\n"), 0o644); err != nil {
			return err
		}
		return os.Chmod(filepath.Join(dir, name), mode)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzValue(f *testing.F) {
	for _, s := range []string{"x", "\n", " \t\n", "a\x00b \x00\nrest", "a \t", "\x00", "a\rb"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		given := bytes.Clone(data)
		v := fileValue(data)
		if !bytes.Equal(data, given) {
			t.Fatal("value changes its argument")
		}
		// The same byte by byte, from the front.
		var want, blanks []byte
		for _, c := range data {
			if c == '\n' {
				break
			}
			if blanks = append(blanks, c); c == ' ' || c == '\t' {
				continue
			}
			if c == 0 {
				blanks[len(blanks)-1] = '\n'
			}
			want, blanks = append(want, blanks...), nil
		}
		if v != string(want) {
			t.Fatalf("%q is %q, want %q", data, v, want)
		}
	})
}

// FuzzMerged checks that the last change is the last variable of the environment.
func FuzzMerged(f *testing.F) {
	f.Add("A=1\nB=2\nC=3", "B\nD=4\nA=5")
	f.Add("A=1\nA=2\nx\n=", "A\nA=\n=B")
	f.Fuzz(func(t *testing.T, given, changes string) {
		e := environment{inherited: strings.Split(given, "\n"), changes: strings.Split(changes, "\n")}
		n := len(e.inherited)
		merged := e.merged()
		if len(merged) > n+len(e.changes) {
			t.Fatalf("%q", merged)
		}
		last := e.changes[len(e.changes)-1]
		name, value, setting := strings.Cut(last, "=")
		if setting {
			if merged[len(merged)-1] != last {
				t.Fatalf("%q is not the last of %q", last, merged)
			}
			if got, ok := lookupEnv(merged[len(merged)-1:], name); !ok || got != value {
				t.Fatalf("%s is %q", name, got)
			}
		}
		if strings.Join(e.inherited, "\n") != given {
			t.Fatal("merged changes what was given")
		}
	})
}
