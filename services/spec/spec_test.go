package spec

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lay makes the files of a service directory: an executable where the content
// begins with "#!".
func lay(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		mode := os.FileMode(0o644)
		if strings.HasPrefix(content, "#!") {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoad(t *testing.T) {
	for _, c := range []struct {
		name    string
		files   map[string]string
		want    Spec
		problem string // of the first, with DIR for the directory
	}{
		{"run alone", map[string]string{"run": "#!"}, Spec{}, ""},
		{"down", map[string]string{"run": "#!", "down": ""}, Spec{Down: true}, ""},
		{"logger", map[string]string{"run": "#!", "log/run": ""}, Spec{Log: true}, ""},
		{"log of an application", map[string]string{"run": "#!", "log/access": ""}, Spec{}, ""},
		{"control", map[string]string{"run": "#!", "control/t": "#!", "control/d": "#!", "control/x": "not executable", "control/xx": "#!"}, Spec{Control: "dt"}, ""},
		{"no run", map[string]string{"down": ""}, Spec{Down: true}, "DIR/run does not exist: put an executable there"},
		{"run that is not executable", map[string]string{"run": ""}, Spec{}, "DIR/run is not executable: chmod +x it"},
		{"run that is a directory", map[string]string{"run/x": ""}, Spec{}, "DIR/run is a directory: put an executable there"},
	} {
		dir := lay(t, c.files)
		got, problems := Load(Source{Name: "web", Dir: dir})
		c.want.Name, c.want.Dir, c.want.Path, c.want.Args = "web", dir, "./run", []string{"./run"}
		if !slices.Equal(got.Args, c.want.Args) {
			t.Errorf("%s: arguments %q", c.name, got.Args)
		}
		got.Args, c.want.Args = nil, nil
		if got.Name != c.want.Name || got.Dir != c.want.Dir || got.Path != c.want.Path || got.Down != c.want.Down || got.Log != c.want.Log || got.Control != c.want.Control {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		text := ""
		if len(problems) > 0 {
			text = strings.ReplaceAll(problems[0].Err.Error(), dir, "DIR")
			if p := problems[0]; len(problems) > 1 || !p.Fatal || p.File != dir+"/run" {
				t.Errorf("%s: %+v", c.name, problems)
			}
		}
		if text != c.problem {
			t.Errorf("%s: %q, want %q", c.name, text, c.problem)
		}
	}
}

func TestLoadOfNothing(t *testing.T) {
	dir := t.TempDir() + "/gone"
	s, problems := Load(Source{Name: "web", Dir: dir})
	if len(problems) != 1 || !problems[0].Fatal || problems[0].Err.Error() != "the directory "+dir+" is gone" || s.Down {
		t.Errorf("%+v, %+v", s, problems)
	}
}

// Where down cannot be looked at the service is not started, and that is said.
func TestDownUnknown(t *testing.T) {
	dir := lay(t, map[string]string{"run": "#!"})
	loop := filepath.Join(dir, "down")
	if err := os.Symlink("down", loop); err != nil {
		t.Fatal(err)
	}
	s, problems := Load(Source{Name: "web", Dir: dir})
	if !s.Down || len(problems) != 1 || problems[0].Fatal || problems[0].File != loop || !errors.Is(problems[0].Err, unix.ELOOP) {
		t.Errorf("%+v, %+v", s, problems)
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	for _, size := range []int{0, 1, 510, 511, 512, 513, MaxFile - 1, MaxFile} {
		want := bytes.Repeat([]byte("x"), size)
		path := filepath.Join(dir, "setting")
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d came, %v", size, len(got), err)
		}
	}
	if got, err := ReadFile("/proc/self/status"); err != nil || !bytes.Contains(got, []byte("\nPid:")) {
		t.Errorf("a file without a size: %q, %v", got, err)
	}
	large := filepath.Join(dir, "large")
	fifo := filepath.Join(dir, "fifo")
	if err := errors.Join(os.WriteFile(large, nil, 0o600), os.Truncate(large, 1<<30), unix.Mkfifo(fifo, 0o600)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		large:                      large + ": larger than 64 KiB",
		fifo:                       fifo + ": not a regular file",
		dir:                        dir + ": not a regular file",
		filepath.Join(dir, "none"): "open " + dir + "/none: no such file or directory",
	} {
		if _, err := ReadFile(path); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A directory with many entries, or one that may be entered and not read, is
// read like any other.
func TestListing(t *testing.T) {
	dir := lay(t, map[string]string{"run": "#!", "down": "", "control/t": "#!", "log/run": ""})
	for i := range 3 * longListing {
		if err := os.WriteFile(filepath.Join(dir, "data"+strings.Repeat("x", i%200)+string(rune('a'+i%26))+strconv.Itoa(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string) {
		t.Helper()
		if s, problems := Load(Source{Name: "web", Dir: dir}); !s.Down || !s.Log || s.Control != "t" || len(problems) > 0 {
			t.Errorf("%s: %+v, %+v", what, s, problems)
		}
	}
	check("3000 entries")
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if found, _ := list(fd); found != 1<<fileDown|1<<fileLog|1<<fileControl { // getdents64(2) answers EBADF
		t.Errorf("a directory that cannot be read: %b", found)
	}
}

// A link that leads nowhere is no file down.
func TestDanglingDown(t *testing.T) {
	dir := lay(t, map[string]string{"run": "#!"})
	if err := os.Symlink("nowhere", filepath.Join(dir, "down")); err != nil {
		t.Fatal(err)
	}
	if s, problems := Load(Source{Name: "web", Dir: dir}); s.Down || len(problems) > 0 {
		t.Errorf("%+v, %+v", s, problems)
	}
}

// Load is called before every start: it must not leave much to collect.
func TestLoadAllocates(t *testing.T) {
	dir := lay(t, map[string]string{"run": "#!"})
	if n := testing.AllocsPerRun(100, func() { Load(Source{Name: "web", Dir: dir}) }); n > 3 {
		t.Errorf("%v allocations", n)
	}
}

// Settings are read whatever white space is around them; what cannot be
// understood is one problem that names the file, and as if it were not there.
func TestStopAndFinish(t *testing.T) {
	day := strconv.Itoa(24 * 60 * 60 * 1000)
	for _, c := range []struct {
		files   map[string]string
		stop    Stop
		finish  Finish
		problem string // with DIR for the directory
	}{
		{files: map[string]string{}},
		{files: map[string]string{"down-signal": "INT\n", "reload-signal": " 12 \n\n", "timeout-kill": "1500", "flag-timeout-killpg": "", "flag-stop-group": "x"},
			stop: Stop{Signal: unix.SIGINT, Reload: unix.SIGUSR2, KillAfter: 1500 * time.Millisecond, KillGroup: true, Group: true}},
		{files: map[string]string{"down-signal": "sigRTMIN+3"}, stop: Stop{Signal: 37}},
		{files: map[string]string{"timeout-kill": day}, stop: Stop{KillAfter: 24 * time.Hour}},
		{files: map[string]string{"finish": "#!"}, finish: Finish{Exists: true, Timeout: finishTimeout}},
		{files: map[string]string{"finish": "#!", "timeout-finish": "0\n", "flag-runit-finish": ""}, finish: Finish{Exists: true, Runit: true}},
		{files: map[string]string{"timeout-finish": "7"}},

		{files: map[string]string{"finish": "echo"}, problem: "unable to run DIR/finish: it is not executable: chmod +x it"},
		{files: map[string]string{"down-signal": "STOPP"}, problem: `unable to use DIR/down-signal: "STOPP" is not a signal, as TERM or 15 is`},
		{files: map[string]string{"down-signal": ""}, problem: `unable to use DIR/down-signal: "" is not a signal, as TERM or 15 is`},
		{files: map[string]string{"reload-signal": "0"}, problem: `unable to use DIR/reload-signal: "0" is not a signal, as TERM or 15 is`},
		{files: map[string]string{"timeout-kill": "5s"}, problem: `unable to use DIR/timeout-kill: "5s" is not a number of milliseconds, as 5000 is, of a day at most`},
		{files: map[string]string{"timeout-kill": "-1"}, problem: `unable to use DIR/timeout-kill: "-1" is not a number of milliseconds, as 5000 is, of a day at most`},
		{files: map[string]string{"timeout-kill": day + "0"}, problem: `unable to use DIR/timeout-kill: "` + day + `0" is not a number of milliseconds, as 5000 is, of a day at most`},
		{files: map[string]string{"finish": "#!", "timeout-finish": "1 2"}, finish: Finish{Exists: true, Timeout: finishTimeout},
			problem: `unable to use DIR/timeout-finish: "1 2" is not a number of milliseconds, as 5000 is, of a day at most`},
		{files: map[string]string{"timeout-kill/x": ""}, problem: "unable to use DIR/timeout-kill: not a regular file"},
		{files: map[string]string{"timeout-kill": strings.Repeat("1", MaxFile+1)}, problem: "unable to use DIR/timeout-kill: larger than 64 KiB"},
	} {
		c.files["run"] = "#!"
		dir := lay(t, c.files)
		s, problems := Load(Source{Name: "web", Dir: dir})
		if s.Stop != c.stop || s.Finish != c.finish {
			t.Errorf("%q: %+v, %+v", c.files, s.Stop, s.Finish)
		}
		text := ""
		for _, p := range problems {
			text += strings.ReplaceAll("unable to "+p.Verb+" "+p.File+": "+p.Err.Error(), dir, "DIR")
			if p.Fatal {
				t.Errorf("%q: fatal: %s", c.files, text)
			}
		}
		if text != c.problem {
			t.Errorf("%q:\n got %s\nwant %s", c.files, text, c.problem)
		}
	}
}
