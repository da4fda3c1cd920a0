package svctl

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"svinit/cmd/internal/applet"
	"svinit/cmd/internal/difftest"
	"svinit/services/svdir"
)

// The tests in this file run our sv and Debian's on the same services, and compare their
// output, exit codes and the commands that they send.

// secondsPattern matches times, which differ between two runs.
var secondsPattern = regexp.MustCompile(`\b[0-9]+s`)

// svCompare runs the case twice, each time with the services in its arguments and in
// more.
func svCompare(t *testing.T, c difftest.Case, more ...string) (theirs, ours difftest.Outcome) {
	t.Helper()
	var rooms []*services
	setup := c.Setup
	c.Setup = func(dir string) error {
		r := &services{dir, make(map[string]*svdir.Held)}
		rooms = append(rooms, r)
		for name, make := range kinds {
			named := func(arg string) bool { return slices.Contains(strings.Split(arg, "/"), name) }
			if slices.ContainsFunc(c.Args, named) || slices.Contains(more, name) {
				make(t, r, name)
			}
		}
		if setup != nil {
			return setup(dir)
		}
		return nil
	}
	if c.Tool == "" {
		c.Tool = "sv"
	}
	if c.Env == nil {
		c.Env = []string{"SVDIR=."}
	}
	before := c.Before
	c.Before = func(cmd *exec.Cmd) {
		cmd.WaitDelay = time.Minute // no other process has the streams, and the machine may be slow
		if before != nil {
			before(cmd)
		}
	}
	c.Path = difftest.Real(t, "sv", "runit")
	c.Mask = func(s string) string { return withoutNotes(secondsPattern.ReplaceAllString(s, "Ns")) }
	theirs, ours = difftest.Compare(t, c, "runit")
	want, got := rooms[0].takeSent(t), rooms[1].takeSent(t)
	if slices.Contains(c.Args, "./ours") && c.Args[0] != "status" {
		want = map[string]string{"": "ours:u\n", "ours:x\n": "ours:dx\n"}[want]
	}
	if c.Differs == "" && got != want {
		t.Errorf("sv %q sent %q, want %q", c.Args, got, want)
	}
	return theirs, ours
}

func compareAll(t *testing.T, cases []difftest.Case, more ...string) {
	for _, c := range cases {
		t.Run(c.Tool+strings.Join(c.Args, " "), func(t *testing.T) { t.Parallel(); svCompare(t, c, more...) })
	}
}

// TestIsInitScript checks under which names and arguments svinit is an init script.
func TestIsInitScript(t *testing.T) {
	root := openDir(t)
	mkdir(t, root+"/web")
	writeFile(t, root+"/file", "")
	for _, c := range []struct {
		argv0, args string
		pid         int
		want        bool
	}{
		{"init.d/web", "status", 7, true},
		{"/etc/init.d/web", "status", 7, true},
		{"/etc/init.d/web", "", 7, true}, // prints the usage
		{"/etc/init.d/web", "bogus", 7, true},
		{"/etc/rc.d/init.d/web", "-w 3 start", 7, true},
		{"/etc/init.d/web", "status", 1, false},
		{"/etc/init.d/other", "status", 7, false},
		{"/etc/init.d/file", "status", 7, false},
		{"web", "status", 7, true},
		{"./web", "-v -w 3 up", 7, true},
		{"web", "force-reload", 7, true},
		{"web", "", 7, true}, // prints the usage
		{"web", "s", 7, true},
		{"web", "D", 7, true},
		{"web", "serve", 7, true},
		{"web", "-z start", 7, true},
		{"web", "--", 7, true},
		{"web", "start", 1, false},
		{"web", "sh -c start", 7, true},
		{"/init.d", "start", 7, false},
		{".", "start", 7, false},
		{"/", "start", 7, false},
		{"", "start", 7, false},
	} {
		e := &applet.Env{Name: filepath.Base(c.argv0), Args: strings.Fields(c.args), Getenv: func(string) string { return "" },
			Environ: func() []string { return []string{"SVDIR=" + root} }}
		if got := IsInitScript(e, c.pid); got != c.want {
			t.Errorf("%s %s as process %d: %v", c.argv0, c.args, c.pid, got)
		}
	}
}

func splitLines(lines ...string) (cases []difftest.Case) {
	for _, line := range lines {
		cases = append(cases, difftest.Case{Args: strings.Fields(line)})
	}
	return cases
}

// TestSvKinds prints the status of every kind of service, and sends it commands.
func TestSvKinds(t *testing.T) {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		t.Run("status "+name, func(t *testing.T) {
			t.Parallel()
			svCompare(t, difftest.Case{Args: []string{"status", "./" + name}, Differs: knownDifferences["status "+name]})
		})
		// These differ in other commands: they have their own tests below.
		if name != "ours" && name != "checkkilled" && name != "controlfull" {
			all = append(all, "./"+name)
		}
	}
	for _, args := range []string{"down", "up", "kill", "exit", "-w0 check", "-w0 up", "-w0 start", "-w0 restart", "-w0 try-restart", "-w0 shutdown", "-w0 force-stop", "-w0 reload"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			svCompare(t, difftest.Case{Args: append(strings.Fields(args), all...)})
		})
	}
	for _, args := range []string{"-w0 check", "-w0 start"} {
		t.Run("killed "+args, func(t *testing.T) {
			t.Parallel()
			svCompare(t, difftest.Case{Args: append(strings.Fields(args), "./checkkilled"), Differs: "sv-check-killed"})
		})
	}
	for _, args := range []string{"down", "exit", "-w0 restart"} {
		t.Run("full "+args, func(t *testing.T) {
			t.Parallel()
			svCompare(t, difftest.Case{Args: append(strings.Fields(args), "./controlfull"), Differs: "not-a-fifo"})
		})
	}
	for _, args := range []string{"exit", "up"} {
		t.Run("ours "+args, func(t *testing.T) {
			t.Parallel()
			svCompare(t, difftest.Case{Args: append(strings.Fields(args), "./ours")})
		})
	}
}

// knownDifferences are the cases with a row in doc/differences.md.
var knownDifferences = map[string]string{
	"status logempty":  "sv-log-unknown",
	"status logdamage": "sv-log-unknown",
	"script idlelog":   "sv-script-log",
	"script logdown":   "sv-script-log",
	"script logempty":  "sv-log-unknown",
	"script logdamage": "sv-log-unknown",
}

func TestSvStatusSizes(t *testing.T) {
	for size := range 41 {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			theirs, _ := svCompare(t, difftest.Case{Args: []string{"status", "f", "f/"}, Setup: func(dir string) error {
				makeSupervised(t, dir+"/f")
				b := append(isUp.Append(nil), make([]byte, 20)...)
				return os.WriteFile(dir+"/f/supervise/status", b[:size], 0o644)
			}})
			if bad := strings.Contains(theirs.Stdout, "bad format"); bad != (size < 20) {
				t.Errorf("%d bytes: %s", size, theirs)
			}
		})
	}
}

// TestSvCommands sends every command.
func TestSvCommands(t *testing.T) {
	var cases []difftest.Case
	for _, word := range []string{
		"up", "down", "once", "pause", "cont", "hup", "alarm", "interrupt", "quit", "1", "2", "term", "kill", "exit",
		"start", "stop", "reload", "restart", "shutdown", "force-stop", "force-reload", "force-restart", "force-shutdown",
		"try-restart", "check", "status", "D", "T", "X", "E", "x", "u", "d", "o", "p", "c", "h", "a", "i", "q", "t", "k", "e", "s", "r", "f",
		"upwards", "destroy", "chec", "checks", "starts", "st", "try", "restarts", "rest", "force", "force-", "force-cont", "b", "y", "w", "l", "P", "C", "0", "3", "-", "?",
		"UP", "Down", "Restart", "\xff", "\x01", "1x", "force-try", "force-up", "reloads", "Xyz", "Tyz",
	} {
		cases = append(cases,
			difftest.Case{Args: []string{"-w0", word, "up", "idle", "term", "fresh", "paused"}},
			difftest.Case{Args: []string{word, "stale", "empty"}})
	}
	compareAll(t, cases)
}

// TestSvMatrix waits for the effect of every command on every record.
func TestSvMatrix(t *testing.T) {
	t.Parallel()
	for _, since := range []time.Time{longAgo, inTheFuture} {
		t.Run(since.Format("2006"), func(t *testing.T) {
			var names []string
			lay := func() *services {
				r := &services{openDir(t), make(map[string]*svdir.Held)}
				names = nil
				for n, row := range readMatrix(t, since) {
					name := fmt.Sprintf("./f%d", n)
					names = append(names, name)
					r.controls[name] = makeSupervised(t, r.dir+"/"+name)
					writeFile(t, r.dir+"/"+name+"/supervise/status", string(row.record[:20]))
					if row.down {
						writeFile(t, r.dir+"/"+name+"/down", "")
					}
				}
				return r
			}
			theirs, ours := lay(), lay()
			for _, args := range []string{"status", "-v up", "-v down", "-v term", "-v kill", "-v once", "-v pause", "-v cont", "-v exit", "check", "reload",
				"restart", "try-restart", "force-restart", "force-stop"} {
				start := func(r *services, path string) (*services, chan outcome) {
					cmd := &exec.Cmd{Path: path, Args: append(append([]string{"sv"}, strings.Fields(args)...), names...), Dir: r.dir, Env: []string{"SVWAIT=0"}}
					done := make(chan outcome, 1)
					go func() { done <- runTool(t, cmd) }()
					return r, done
				}
				r1, done1 := start(theirs, difftest.Real(t, "sv", "runit"))
				r2, done2 := start(ours, difftest.Binary())
				want, got := <-done1, <-done2
				want.stdout, got.stdout = secondsPattern.ReplaceAllString(want.stdout, "Ns"), secondsPattern.ReplaceAllString(got.stdout, "Ns")
				if got != want || strings.Count(got.stdout, "\n") != len(names) {
					t.Errorf("sv %s\n%+v\nwant\n%+v", args, got, want)
				}
				if want, got := r1.takeSent(t), r2.takeSent(t); got != want {
					t.Errorf("sv %s sent %q, want %q", args, got, want)
				}
			}
		})
	}
}

func TestSvUse(t *testing.T) {
	many := strings.TrimSpace(strings.Repeat("missing ", 120))
	cases := splitLines("", "-v", "-w", "-w 1", "-z", "-z status up", "-v -z", "--", "-- status up", "-", "- up", "status", "bogus", "bogus up", "status --", "status -v",
		"-w5", "-w x", "-w x status up", "-w -1 status up", "-w 18446744073709551616 down idle", "-w99999999999999999999999 down idle", "-vw0 up up", "-vvv up up", "-wv0 start idle", "-w 0x7 start idle",
		"up", "down", "check", "status missing", "status up missing idle stale", "up up missing idle nook", "down missing up missing stale empty",
		"status "+many, "up "+strings.TrimSpace(strings.Repeat("missing ", 98)), "up "+strings.TrimSpace(strings.Repeat("missing ", 99)), "up "+strings.TrimSpace(strings.Repeat("missing ", 100)),
		"status up up up", "status ./up", "status /nonexistent", "status .", "status ..", "status /", "status ./", "status up/supervise", "status up/../up", "status logged/log",
		"status missing/log", "status "+strings.Repeat("n", 300), "status up/"+strings.Repeat("n", 300), "status ./"+strings.Repeat("n", 300),
		"-v up up", "-v down idle", "-v status up", "-w0 -v status idle", "-v exit stale", "exit stale", "-v exit stale up", "-w0 exit stale up", "shutdown stale", "force-shutdown stale",
		"-w0 start up idle missing", "-w0 stop up idle", "-w0 stop up up", "-w0 force-stop up idle up", "-w1 stop idle", "-w0 check up idle checkno checkyes", "-w1 start checkno up checkyes")
	cases = append(cases, difftest.Case{Args: []string{"--foo", "status", "up"}, Differs: "long-option"}, difftest.Case{Args: []string{"--help"}, Differs: "help"},
		difftest.Case{Args: []string{""}}, difftest.Case{Args: []string{"", "up"}}, difftest.Case{Args: []string{"status", ""}}, difftest.Case{Args: []string{"up", "", "up"}},
		difftest.Case{Args: []string{"-w", "", "start", "idle"}},
		difftest.Case{Args: []string{"status", "up/"}, Env: []string{"SVDIR=/nonexistent"}}, difftest.Case{Args: []string{"-w0", "start", "up/"}, Env: []string{"SVDIR=/nonexistent"}, Differs: "sv-slash"},
		difftest.Case{Args: []string{"-w0", "start", "./up"}, Env: []string{"SVDIR=/nonexistent"}}, difftest.Case{Args: []string{"-w0", "stop", "up/", "idle/"}},
		difftest.Case{Args: []string{"up", "up"}, Env: []string{"SVDIR=."}}, difftest.Case{Args: []string{"-V"}, Differs: "sv-version"}, difftest.Case{Args: []string{"status", "-v"}}, difftest.Case{Args: []string{"status", "with room"}})
	for _, env := range []string{"SVDIR=/nonexistent", "SVDIR=", "SVDIR=./up/..", "SVDIR=up", "SVDIR=DIR", "SVDIR=./file"} {
		cases = append(cases, difftest.Case{Args: []string{"status", "up", "file", "./up"}, Env: []string{env}})
	}
	for _, env := range []string{"SVWAIT=0", "SVWAIT=", "SVWAIT=x", "SVWAIT=0x", "SVWAIT=99999"} {
		args := []string{"stop", "idle", "up"}
		if env == "SVWAIT=99999" {
			args = []string{"-w", "0", "stop", "idle", "up"}
		}
		cases = append(cases, difftest.Case{Args: args, Env: []string{"SVDIR=.", env}})
	}
	compareAll(t, cases)
}

// TestSvScript calls both under the names of init scripts.
func TestSvScript(t *testing.T) {
	var cases []difftest.Case
	for _, name := range []string{"up", "idle", "stale", "nook", "empty", "logged", "logstale", "logdown", "idlelog", "logdamage", "downloop", "logfile", "term", "checkno", "logempty"} {
		for _, args := range []string{"status", "up", "start", "-w0 start", "-w0 stop", "-w0 restart", "-w0 check", "exit", "-w0 shutdown", "status more", "-w0 force-stop"} {
			if args != "status" && !slices.Contains([]string{"up", "idle", "stale", "nook", "logged"}, name) || args == "start" && name != "up" {
				continue
			}
			c := difftest.Case{Tool: "/etc/init.d/" + name, Args: strings.Fields(args)}
			if strings.HasPrefix(args, "status") {
				c.Differs = knownDifferences["script "+name]
			}
			cases = append(cases, c)
		}
	}
	for _, args := range []string{"", "-z", "-z start", "bogus", "s", "st", "statusx", "-w", "-w 1", "-v status", "--", "-- status", "r", "f", "force-x", "chec"} {
		cases = append(cases, difftest.Case{Tool: "/etc/init.d/up", Args: strings.Fields(args)})
	}
	// The name of a service outside of init.d.
	for _, args := range []string{"status", "start", "-w0 stop", "-v up", "down", "status x"} {
		cases = append(cases, difftest.Case{Tool: "up", Args: strings.Fields(args)}, difftest.Case{Tool: "./scripts/up", Args: strings.Fields(args)})
	}
	for _, c := range cases {
		t.Run(c.Tool+" "+strings.Join(c.Args, " "), func(t *testing.T) { t.Parallel(); svCompare(t, c, filepath.Base(c.Tool)) })
	}
}

// TestSvOtherUser compares both as a user without permissions.
func TestSvOtherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("only root can run it as another user")
	}
	for _, args := range []string{"status", "up", "-w0 start", "exit", "-w0 check", "-w0 stop"} {
		for _, mode := range []struct{ file, mode string }{
			{"", "000"}, {"", "644"}, {"/supervise", "000"}, {"/supervise", "700"}, {"/supervise", "755"}, {"/supervise/ok", "600"}, {"/supervise/status", "000"}, {"/supervise/control", "400"},
		} {
			t.Run(args+mode.file+" "+mode.mode, func(t *testing.T) {
				t.Parallel()
				svCompare(t, difftest.Case{
					Args: append(strings.Fields(args), "up", "idle"),
					Before: func(cmd *exec.Cmd) {
						var bits uint32
						fmt.Sscanf(mode.mode, "%o", &bits)
						must(t, os.Chmod(cmd.Dir+"/up/supervise", 0o755))
						for _, f := range []string{"ok", "control"} {
							must(t, os.Chmod(cmd.Dir+"/up/supervise/"+f, 0o666))
						}
						must(t, os.Chmod(cmd.Dir+"/up"+mode.file, fs.FileMode(bits)))
						if os.Geteuid() == 0 {
							cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
						}
					},
				})
			})
		}
	}
}
