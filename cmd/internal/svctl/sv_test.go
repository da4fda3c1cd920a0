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

	"svinit/cmd/internal/difftest"
	"svinit/services/svdir"
)

// The tests of this file give sv and Debian's sv the same services, and
// compare what they print, their exit codes and what they write to control.

// room is a directory with services, one for each of the two programs.
type room struct {
	dir      string
	controls map[string]*svdir.Held // by name
}

// sent returns what has come, a line a service.
func (r *room) sent(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.controls)) {
		if s := received(t, r.controls[name]); s != "" {
			fmt.Fprintf(&b, "%s:%s\n", name, s)
		}
	}
	return b.String()
}

// service makes a supervised service with a record of that many bytes.
func (r *room) service(t *testing.T, name string, s svdir.Status, size int) string {
	t.Helper()
	dir := r.dir + "/" + name
	r.controls[name] = supervised(t, dir)
	put(t, dir+"/supervise/status", string(s.Append(nil)[:size]))
	return dir
}

// Records as runsv writes them, of services since long ago and from now on.
var (
	long    = time.Unix(1700000000, 0)
	isUp    = svdir.Status{Since: long, PID: 77, Want: svdir.WantUp, State: svdir.StateRun}
	isDown  = svdir.Status{Since: long, Want: svdir.WantDown}
	startUp = svdir.Status{Since: soon, PID: 77, Want: svdir.WantUp, State: svdir.StateRun}
)

const script = "#!/bin/sh\n"

// kinds is what sv may meet, by name.
var kinds = map[string]func(t *testing.T, r *room, name string){
	"up": func(t *testing.T, r *room, name string) { r.service(t, name, isUp, 20) },
	"freshcheck": func(t *testing.T, r *room, name string) {
		must(t, os.WriteFile(r.service(t, name, startUp, 20)+"/check", []byte(script+"echo asked >&2\n"), 0o755))
	},
	"ours":   func(t *testing.T, r *room, name string) { r.service(t, name, isUp, svdir.StatusSize) },
	"idle":   func(t *testing.T, r *room, name string) { r.service(t, name, isDown, 20) },
	"fresh":  func(t *testing.T, r *room, name string) { r.service(t, name, startUp, 20) },
	"paused": func(t *testing.T, r *room, name string) { s := isUp; s.Paused = true; r.service(t, name, s, 20) },
	"term": func(t *testing.T, r *room, name string) {
		s := isUp
		s.Want, s.GotTERM = svdir.WantDown, true
		r.service(t, name, s, 20)
	},
	"wantdown": func(t *testing.T, r *room, name string) {
		s := isUp
		s.Want = svdir.WantDown
		r.service(t, name, s, 20)
	},
	"wantexit": func(t *testing.T, r *room, name string) { s := isUp; s.Want = 'x'; r.service(t, name, s, 20) },
	"finish": func(t *testing.T, r *room, name string) {
		s := isUp
		s.State = svdir.StateFinish
		r.service(t, name, s, 20)
	},
	"state3":    func(t *testing.T, r *room, name string) { s := isUp; s.State = 3; r.service(t, name, s, 20) },
	"state255":  func(t *testing.T, r *room, name string) { s := isUp; s.State = 255; r.service(t, name, s, 20) },
	"bigpid":    func(t *testing.T, r *room, name string) { s := isUp; s.PID = 1<<32 - 1; r.service(t, name, s, 20) },
	"halfpid":   func(t *testing.T, r *room, name string) { s := isUp; s.PID = 1 << 31; r.service(t, name, s, 20) },
	"file":      func(t *testing.T, r *room, name string) { put(t, r.dir+"/"+name, "") },
	"empty":     func(t *testing.T, r *room, name string) { mkdir(t, r.dir+"/"+name) },
	"dangling":  func(t *testing.T, r *room, name string) { must(t, os.Symlink("nowhere", r.dir+"/"+name)) },
	"loop":      func(t *testing.T, r *room, name string) { must(t, os.Symlink("loop", r.dir+"/"+name)) },
	"with room": func(t *testing.T, r *room, name string) { r.service(t, name, isUp, 20) },
	"-v":        func(t *testing.T, r *room, name string) { r.service(t, name, isUp, 20) },
	"stale": func(t *testing.T, r *room, name string) {
		r.service(t, name, isUp, 20)
		r.controls[name].Release()
		delete(r.controls, name)
	},
	"nook":      func(t *testing.T, r *room, name string) { r.lack(t, name, "ok") },
	"nocontrol": func(t *testing.T, r *room, name string) { r.lack(t, name, "control") },
	"nostatus":  func(t *testing.T, r *room, name string) { r.lack(t, name, "status") },
	"okdir": func(t *testing.T, r *room, name string) {
		r.lack(t, name, "ok")
		mkdir(t, r.dir+"/"+name+"/supervise/ok")
	},
	"okloop":     func(t *testing.T, r *room, name string) { r.loop(t, name, "supervise/ok") },
	"statusloop": func(t *testing.T, r *room, name string) { r.loop(t, name, "supervise/status") },
	"statusdir": func(t *testing.T, r *room, name string) {
		r.lack(t, name, "status")
		mkdir(t, r.dir+"/"+name+"/supervise/status")
	},
	"controlloop": func(t *testing.T, r *room, name string) { r.loop(t, name, "supervise/control") },
	"controldir": func(t *testing.T, r *room, name string) {
		r.lack(t, name, "control")
		mkdir(t, r.dir+"/"+name+"/supervise/control")
	},
	"controldead": func(t *testing.T, r *room, name string) {
		r.lack(t, name, "control")
		must(t, syscall.Mkfifo(r.dir+"/"+name+"/supervise/control", 0o600))
	},
	"controlfull": func(t *testing.T, r *room, name string) {
		r.lack(t, name, "control")
		must(t, os.Symlink("/dev/full", r.dir+"/"+name+"/supervise/control"))
	},
	"down":         func(t *testing.T, r *room, name string) { put(t, r.service(t, name, isUp, 20)+"/down", "") },
	"downidle":     func(t *testing.T, r *room, name string) { put(t, r.service(t, name, isDown, 20)+"/down", "") },
	"downdangling": func(t *testing.T, r *room, name string) { r.link(t, name, "nowhere", "down") },
	"downloop":     func(t *testing.T, r *room, name string) { r.loop(t, name, "down") },
	"checkyes":     check(script, 0o755),
	"checkno":      check(script+"exit 1\n", 0o755),
	"check100":     check(script+"exit 100\n", 0o755),
	"checkkilled":  check(script+"kill -9 $$\n", 0o755),
	"checksays":    check(script+"echo out; echo err >&2; echo $0 >&2; pwd | sed s,.*/,, >&2\n", 0o755),
	"checkplain":   check(script+"exit 1\n", 0o644),
	"checkbad":     check("#!/nonexistent\n", 0o755),
	"checkjunk":    check("\x00\x01", 0o755),
	"checkdir":     func(t *testing.T, r *room, name string) { mkdir(t, r.service(t, name, isUp, 20)+"/check") },
	"checkloop":    func(t *testing.T, r *room, name string) { r.loop(t, name, "check") },
	"checkidle": func(t *testing.T, r *room, name string) {
		dir := r.service(t, name, isDown, 20)
		must(t, os.WriteFile(dir+"/check", []byte(script+"exit 1\n"), 0o755))
	},
	"logged":    func(t *testing.T, r *room, name string) { r.logged(t, name, isUp, isUp) },
	"logdown":   func(t *testing.T, r *room, name string) { r.logged(t, name, isUp, isDown) },
	"idlelog":   func(t *testing.T, r *room, name string) { r.logged(t, name, isDown, isUp) },
	"logmarked": func(t *testing.T, r *room, name string) { put(t, r.logged(t, name, isUp, isUp)+"/log/down", "") },
	"logstale": func(t *testing.T, r *room, name string) {
		r.logged(t, name, isUp, isUp)
		r.controls[name+"/log"].Release()
		delete(r.controls, name+"/log")
	},
	"logempty": func(t *testing.T, r *room, name string) { mkdir(t, r.service(t, name, isUp, 20)+"/log") },
	"logfile":  func(t *testing.T, r *room, name string) { put(t, r.service(t, name, isUp, 20)+"/log", "") },
	"logloop":  func(t *testing.T, r *room, name string) { r.loop(t, name, "log") },
	"lognone":  func(t *testing.T, r *room, name string) { r.link(t, name, "nowhere", "log") },
	"logdamage": func(t *testing.T, r *room, name string) {
		put(t, r.logged(t, name, isUp, isUp)+"/log/supervise/status", "?")
	},
	"logdownloop": func(t *testing.T, r *room, name string) {
		must(t, os.Symlink("down", r.logged(t, name, isUp, isUp)+"/log/down"))
	},
	"downlooplog": func(t *testing.T, r *room, name string) {
		must(t, os.Symlink("down", r.logged(t, name, isUp, isUp)+"/down"))
	},
}

func (r *room) logged(t *testing.T, name string, s, log svdir.Status) string {
	dir := r.service(t, name, s, 20)
	r.service(t, name+"/log", log, 20)
	return dir
}

func (r *room) lack(t *testing.T, name, file string) {
	must(t, os.Remove(r.service(t, name, isUp, 20)+"/supervise/"+file))
}

func (r *room) link(t *testing.T, name, target, link string) {
	path := r.service(t, name, isUp, 20) + "/" + link
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	must(t, os.Symlink(target, path))
}

func (r *room) loop(t *testing.T, name, file string) { r.link(t, name, filepath.Base(file), file) }

func check(text string, mode fs.FileMode) func(*testing.T, *room, string) {
	return func(t *testing.T, r *room, name string) {
		dir := r.service(t, name, isUp, 20)
		must(t, os.WriteFile(dir+"/check", []byte(text), mode))
	}
}

// ages is what passes between two programs.
var ages = regexp.MustCompile(`\b[0-9]+s`)

// svCompare runs the case in two rooms with the services that its arguments
// name, and those of more.
func svCompare(t *testing.T, c difftest.Case, more ...string) (theirs, ours difftest.Outcome) {
	t.Helper()
	var rooms []*room
	setup := c.Setup
	c.Setup = func(dir string) error {
		r := &room{dir, make(map[string]*svdir.Held)}
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
	c.Path = difftest.Real(t, "sv", "runit")
	c.Mask = func(s string) string { return ages.ReplaceAllString(s, "Ns") }
	theirs, ours = difftest.Compare(t, c, "runit")
	want, got := rooms[0].sent(t), rooms[1].sent(t)
	if slices.Contains(c.Args, "./ours") && c.Args[0] != "status" {
		want = map[string]string{"": "ours:u\n", "ours:x\n": "ours:dx\n"}[want]
	}
	if c.Differs == "" && got != want {
		t.Errorf("sv %q sent %q, want %q", c.Args, got, want)
	}
	return theirs, ours
}

func each(t *testing.T, cases []difftest.Case, more ...string) {
	for _, c := range cases {
		t.Run(c.Tool+strings.Join(c.Args, " "), func(t *testing.T) { t.Parallel(); svCompare(t, c, more...) })
	}
}

func words(lines ...string) (cases []difftest.Case) {
	for _, line := range lines {
		cases = append(cases, difftest.Case{Args: strings.Fields(line)})
	}
	return cases
}

// TestSvKinds asks of every kind of service, and sends it commands.
func TestSvKinds(t *testing.T) {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		t.Run("status "+name, func(t *testing.T) {
			t.Parallel()
			svCompare(t, difftest.Case{Args: []string{"status", "./" + name}, Differs: different["status "+name]})
		})
		// Records of ours are met otherwise, and so are checks that are killed.
		if name != "ours" && name != "checkkilled" {
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
	for _, args := range []string{"exit", "up"} {
		t.Run("ours "+args, func(t *testing.T) {
			t.Parallel()
			svCompare(t, difftest.Case{Args: append(strings.Fields(args), "./ours")})
		})
	}
}

// different is the cases with a row in doc/differences.md.
var different = map[string]string{
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
				supervised(t, dir+"/f")
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
	each(t, cases)
}

// TestSvMatrix waits for the effect of every command on every record.
func TestSvMatrix(t *testing.T) {
	for _, since := range []time.Time{long, soon} {
		all := rows(t, since)
		for _, args := range []string{"status", "-w0 up", "-w0 down", "-w0 term", "-w0 kill", "-w0 once", "-w0 pause", "-w0 cont", "-w0 check", "-w0 hup",
			"-w0 restart", "-w0 exit", "-w0 try-restart", "-w0 force-restart", "-w0 shutdown"} {
			t.Run(args, func(t *testing.T) {
				var names []string
				for n := range all {
					names = append(names, fmt.Sprintf("./f%d", n))
				}
				var rooms []*room
				svCompare(t, difftest.Case{Args: append(strings.Fields(args), names...), Setup: func(dir string) error {
					r := &room{dir, make(map[string]*svdir.Held)}
					rooms = append(rooms, r)
					for n, row := range all {
						r.controls[names[n]] = supervised(t, dir+"/"+names[n])
						put(t, dir+"/"+names[n]+"/supervise/status", string(row.record[:20]))
						if row.down {
							put(t, dir+"/"+names[n]+"/down", "")
						}
					}
					return nil
				}})
				if want, got := rooms[0].sent(t), rooms[1].sent(t); got != want {
					t.Errorf("sent %q, want %q", got, want)
				}
			})
		}
	}
}

func TestSvUse(t *testing.T) {
	many := strings.TrimSpace(strings.Repeat("missing ", 120))
	cases := words("", "-v", "-w", "-w 1", "-z", "-z status up", "-v -z", "--", "-- status up", "--foo status up", "-", "- up", "status", "bogus", "bogus up", "status --", "status -v",
		"-w5", "-w x", "-w x status up", "-w -1 status up", "-w 18446744073709551616 down idle", "-w99999999999999999999999 down idle", "-vw0 up up", "-vvv up up", "-wv0 start idle", "-w 0x7 start idle",
		"up", "down", "check", "status missing", "status up missing idle stale", "up up missing idle nook", "down missing up missing stale empty",
		"status "+many, "up "+strings.TrimSpace(strings.Repeat("missing ", 98)), "up "+strings.TrimSpace(strings.Repeat("missing ", 99)), "up "+strings.TrimSpace(strings.Repeat("missing ", 100)),
		"status up up up", "status ./up", "status /nonexistent", "status .", "status ..", "status /", "status ./", "status up/supervise", "status up/../up", "status logged/log",
		"status missing/log", "status "+strings.Repeat("n", 300), "status up/"+strings.Repeat("n", 300), "status ./"+strings.Repeat("n", 300),
		"-v up up", "-v down idle", "-v status up", "-w0 -v status idle", "-v exit stale", "exit stale", "-v exit stale up", "-w0 exit stale up", "shutdown stale", "force-shutdown stale",
		"-w0 start up idle missing", "-w0 stop up idle", "-w0 stop up up", "-w0 force-stop up idle up", "-w1 stop idle", "-w0 check up idle checkno checkyes", "-w1 start checkno up checkyes")
	cases = append(cases,
		difftest.Case{Args: []string{""}}, difftest.Case{Args: []string{"", "up"}}, difftest.Case{Args: []string{"status", ""}}, difftest.Case{Args: []string{"up", "", "up"}},
		difftest.Case{Args: []string{"-w", "", "start", "idle"}}, difftest.Case{Args: []string{"status", "-v"}}, difftest.Case{Args: []string{"status", "with room"}})
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
	each(t, cases)
}

// TestSvScript calls both by other names.
func TestSvScript(t *testing.T) {
	var cases []difftest.Case
	for _, name := range []string{"up", "idle", "stale", "nook", "empty", "logged", "logstale", "logdown", "idlelog", "logdamage", "downloop", "logfile", "term", "checkno", "logempty"} {
		for _, args := range []string{"status", "up", "start", "-w0 start", "-w0 stop", "-w0 restart", "-w0 check", "exit", "-w0 shutdown", "status more", "-w0 force-stop"} {
			if args == "start" && name != "up" {
				continue
			}
			c := difftest.Case{Tool: "/etc/init.d/" + name, Args: strings.Fields(args)}
			if strings.HasPrefix(args, "status") {
				c.Differs = different["script "+name]
			}
			cases = append(cases, c)
		}
	}
	for _, args := range []string{"", "-z", "-z start", "bogus", "s", "st", "statusx", "-w", "-w 1", "-v status", "--", "-- status", "r", "f", "force-x", "chec"} {
		cases = append(cases, difftest.Case{Tool: "/etc/init.d/up", Args: strings.Fields(args)})
	}
	// A name that is no tool's and stands elsewhere.
	for _, args := range []string{"status", "start", "-w0 stop", "-v up", "down", "status x"} {
		cases = append(cases, difftest.Case{Tool: "up", Args: strings.Fields(args)}, difftest.Case{Tool: "./scripts/up", Args: strings.Fields(args)})
	}
	for _, c := range cases {
		t.Run(c.Tool+" "+strings.Join(c.Args, " "), func(t *testing.T) { t.Parallel(); svCompare(t, c, filepath.Base(c.Tool)) })
	}
}

// TestSvKeptOut asks as a user who may not.
func TestSvKeptOut(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("as another user only for root")
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
