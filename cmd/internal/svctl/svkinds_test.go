package svctl

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"svinit/services/svdir"
)

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

// highest is the highest pid that the status record has room for. It is a
// variable as an int of 32 bits would not take it as a constant.
var highest uint32 = 1<<32 - 1

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
	"state3":   func(t *testing.T, r *room, name string) { s := isUp; s.State = 3; r.service(t, name, s, 20) },
	"state255": func(t *testing.T, r *room, name string) { s := isUp; s.State = 255; r.service(t, name, s, 20) },
	"bigpid":   func(t *testing.T, r *room, name string) { s := isUp; s.PID = int(highest); r.service(t, name, s, 20) },
	"halfpid": func(t *testing.T, r *room, name string) {
		s := isUp
		s.PID = int(highest/2 + 1)
		r.service(t, name, s, 20)
	},
	"file":      func(t *testing.T, r *room, name string) { put(t, r.dir+"/"+name, "") },
	"empty":     func(t *testing.T, r *room, name string) { mkdir(t, r.dir+"/"+name) },
	"dangling":  func(t *testing.T, r *room, name string) { must(t, os.Symlink("nowhere", r.dir+"/"+name)) },
	"loop":      func(t *testing.T, r *room, name string) { must(t, os.Symlink("loop", r.dir+"/"+name)) },
	"with room": func(t *testing.T, r *room, name string) { r.service(t, name, isUp, 20) },
	"-v":        func(t *testing.T, r *room, name string) { r.service(t, name, isUp, 20) },
	"stale": func(t *testing.T, r *room, name string) {
		r.service(t, name, isUp, 20)
		r.desert(t, name)
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
		r.desert(t, name+"/log")
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

// desert takes the supervisor away. The FIFOs are made anew: a process that
// another test is starting has our descriptors until it executes its program,
// and would be taken for a supervisor.
func (r *room) desert(t *testing.T, name string) {
	r.controls[name].Release()
	delete(r.controls, name)
	for _, fifo := range []string{"ok", "control"} {
		must(t, os.Remove(r.dir+"/"+name+"/supervise/"+fifo))
		must(t, syscall.Mkfifo(r.dir+"/"+name+"/supervise/"+fifo, 0o600))
	}
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
