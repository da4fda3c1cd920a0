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

// services is a directory with services. Each of the two programs has its own.
type services struct {
	dir      string
	controls map[string]*svdir.Held // by name
}

// takeSent returns the commands that have been sent, one line per service.
func (r *services) takeSent(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.controls)) {
		if s := readCommands(t, r.controls[name]); s != "" {
			fmt.Fprintf(&b, "%s:%s\n", name, s)
		}
	}
	return b.String()
}

// addService makes a supervised service with a status of that many bytes.
func (r *services) addService(t *testing.T, name string, s svdir.Status, size int) string {
	t.Helper()
	dir := r.dir + "/" + name
	r.controls[name] = makeSupervised(t, dir)
	writeFile(t, dir+"/supervise/status", string(s.Append(nil)[:size]))
	return dir
}

// States as runsv writes them, with times in the past and in the future.
var (
	longAgo = time.Unix(1700000000, 0)
	isUp    = svdir.Status{Since: longAgo, PID: 77, Want: svdir.WantUp, State: svdir.StateRun}
	isDown  = svdir.Status{Since: longAgo, Want: svdir.WantDown}
	startUp = svdir.Status{Since: inTheFuture, PID: 77, Want: svdir.WantUp, State: svdir.StateRun}
)

const shebang = "#!/bin/sh\n"

// maxPID is the largest pid in the format of the status. It is a variable because as a
// constant it would overflow a 32-bit int.
var maxPID uint32 = 1<<32 - 1

// kinds makes the kinds of services for sv, by name.
var kinds = map[string]func(t *testing.T, r *services, name string){
	"up": func(t *testing.T, r *services, name string) { r.addService(t, name, isUp, 20) },
	"freshcheck": func(t *testing.T, r *services, name string) {
		must(t, os.WriteFile(r.addService(t, name, startUp, 20)+"/check", []byte(shebang+"echo asked >&2\n"), 0o755))
	},
	"ours":   func(t *testing.T, r *services, name string) { r.addService(t, name, isUp, svdir.StatusSize) },
	"idle":   func(t *testing.T, r *services, name string) { r.addService(t, name, isDown, 20) },
	"fresh":  func(t *testing.T, r *services, name string) { r.addService(t, name, startUp, 20) },
	"paused": func(t *testing.T, r *services, name string) { s := isUp; s.Paused = true; r.addService(t, name, s, 20) },
	"term": func(t *testing.T, r *services, name string) {
		s := isUp
		s.Want, s.GotTERM = svdir.WantDown, true
		r.addService(t, name, s, 20)
	},
	"wantdown": func(t *testing.T, r *services, name string) {
		s := isUp
		s.Want = svdir.WantDown
		r.addService(t, name, s, 20)
	},
	"wantexit": func(t *testing.T, r *services, name string) { s := isUp; s.Want = 'x'; r.addService(t, name, s, 20) },
	"finish": func(t *testing.T, r *services, name string) {
		s := isUp
		s.State = svdir.StateFinish
		r.addService(t, name, s, 20)
	},
	"state3":   func(t *testing.T, r *services, name string) { s := isUp; s.State = 3; r.addService(t, name, s, 20) },
	"state255": func(t *testing.T, r *services, name string) { s := isUp; s.State = 255; r.addService(t, name, s, 20) },
	"bigpid": func(t *testing.T, r *services, name string) {
		s := isUp
		s.PID = int(maxPID)
		r.addService(t, name, s, 20)
	},
	"halfpid": func(t *testing.T, r *services, name string) {
		s := isUp
		s.PID = int(maxPID/2 + 1)
		r.addService(t, name, s, 20)
	},
	"file":      func(t *testing.T, r *services, name string) { writeFile(t, r.dir+"/"+name, "") },
	"empty":     func(t *testing.T, r *services, name string) { mkdir(t, r.dir+"/"+name) },
	"dangling":  func(t *testing.T, r *services, name string) { must(t, os.Symlink("nowhere", r.dir+"/"+name)) },
	"loop":      func(t *testing.T, r *services, name string) { must(t, os.Symlink("loop", r.dir+"/"+name)) },
	"with room": func(t *testing.T, r *services, name string) { r.addService(t, name, isUp, 20) },
	"-v":        func(t *testing.T, r *services, name string) { r.addService(t, name, isUp, 20) },
	"stale": func(t *testing.T, r *services, name string) {
		r.addService(t, name, isUp, 20)
		r.removeSupervisor(t, name)
	},
	"nook":      func(t *testing.T, r *services, name string) { r.addWithout(t, name, "ok") },
	"nocontrol": func(t *testing.T, r *services, name string) { r.addWithout(t, name, "control") },
	"nostatus":  func(t *testing.T, r *services, name string) { r.addWithout(t, name, "status") },
	"okdir": func(t *testing.T, r *services, name string) {
		r.addWithout(t, name, "ok")
		mkdir(t, r.dir+"/"+name+"/supervise/ok")
	},
	"okloop":     func(t *testing.T, r *services, name string) { r.addWithLoop(t, name, "supervise/ok") },
	"statusloop": func(t *testing.T, r *services, name string) { r.addWithLoop(t, name, "supervise/status") },
	"statusdir": func(t *testing.T, r *services, name string) {
		r.addWithout(t, name, "status")
		mkdir(t, r.dir+"/"+name+"/supervise/status")
	},
	"controlloop": func(t *testing.T, r *services, name string) { r.addWithLoop(t, name, "supervise/control") },
	"controldir": func(t *testing.T, r *services, name string) {
		r.addWithout(t, name, "control")
		mkdir(t, r.dir+"/"+name+"/supervise/control")
	},
	"controldead": func(t *testing.T, r *services, name string) {
		r.addWithout(t, name, "control")
		must(t, syscall.Mkfifo(r.dir+"/"+name+"/supervise/control", 0o600))
	},
	"controlfull": func(t *testing.T, r *services, name string) {
		r.addWithout(t, name, "control")
		must(t, os.Symlink("/dev/full", r.dir+"/"+name+"/supervise/control"))
	},
	"down": func(t *testing.T, r *services, name string) {
		writeFile(t, r.addService(t, name, isUp, 20)+"/down", "")
	},
	"downidle": func(t *testing.T, r *services, name string) {
		writeFile(t, r.addService(t, name, isDown, 20)+"/down", "")
	},
	"downdangling": func(t *testing.T, r *services, name string) { r.addWithLink(t, name, "nowhere", "down") },
	"downloop":     func(t *testing.T, r *services, name string) { r.addWithLoop(t, name, "down") },
	"checkyes":     withCheck(shebang, 0o755),
	"checkno":      withCheck(shebang+"exit 1\n", 0o755),
	"check100":     withCheck(shebang+"exit 100\n", 0o755),
	"checkkilled":  withCheck(shebang+"kill -9 $$\n", 0o755),
	"checksays":    withCheck(shebang+"echo out; echo err >&2; echo $0 >&2; pwd | sed s,.*/,, >&2\n", 0o755),
	"checkplain":   withCheck(shebang+"exit 1\n", 0o644),
	"checkbad":     withCheck("#!/nonexistent\n", 0o755),
	"checkjunk":    withCheck("\x00\x01", 0o755),
	"checkdir":     func(t *testing.T, r *services, name string) { mkdir(t, r.addService(t, name, isUp, 20)+"/check") },
	"checkloop":    func(t *testing.T, r *services, name string) { r.addWithLoop(t, name, "check") },
	"checkidle": func(t *testing.T, r *services, name string) {
		dir := r.addService(t, name, isDown, 20)
		must(t, os.WriteFile(dir+"/check", []byte(shebang+"exit 1\n"), 0o755))
	},
	"logged":  func(t *testing.T, r *services, name string) { r.addLogged(t, name, isUp, isUp) },
	"logdown": func(t *testing.T, r *services, name string) { r.addLogged(t, name, isUp, isDown) },
	"idlelog": func(t *testing.T, r *services, name string) { r.addLogged(t, name, isDown, isUp) },
	"logmarked": func(t *testing.T, r *services, name string) {
		writeFile(t, r.addLogged(t, name, isUp, isUp)+"/log/down", "")
	},
	"logstale": func(t *testing.T, r *services, name string) {
		r.addLogged(t, name, isUp, isUp)
		r.removeSupervisor(t, name+"/log")
	},
	"logempty": func(t *testing.T, r *services, name string) { mkdir(t, r.addService(t, name, isUp, 20)+"/log") },
	"logfile":  func(t *testing.T, r *services, name string) { writeFile(t, r.addService(t, name, isUp, 20)+"/log", "") },
	"logloop":  func(t *testing.T, r *services, name string) { r.addWithLoop(t, name, "log") },
	"lognone":  func(t *testing.T, r *services, name string) { r.addWithLink(t, name, "nowhere", "log") },
	"logdamage": func(t *testing.T, r *services, name string) {
		writeFile(t, r.addLogged(t, name, isUp, isUp)+"/log/supervise/status", "?")
	},
	"logdownloop": func(t *testing.T, r *services, name string) {
		must(t, os.Symlink("down", r.addLogged(t, name, isUp, isUp)+"/log/down"))
	},
	"downlooplog": func(t *testing.T, r *services, name string) {
		must(t, os.Symlink("down", r.addLogged(t, name, isUp, isUp)+"/down"))
	},
}

func (r *services) addLogged(t *testing.T, name string, s, log svdir.Status) string {
	dir := r.addService(t, name, s, 20)
	r.addService(t, name+"/log", log, 20)
	return dir
}

func (r *services) addWithout(t *testing.T, name, file string) {
	must(t, os.Remove(r.addService(t, name, isUp, 20)+"/supervise/"+file))
}

// removeSupervisor removes the supervisor of a service. It makes new FIFOs: a child of a
// parallel test has the old ones open until its exec, and would count as a supervisor.
func (r *services) removeSupervisor(t *testing.T, name string) {
	r.controls[name].Release()
	delete(r.controls, name)
	for _, fifo := range []string{"ok", "control"} {
		must(t, os.Remove(r.dir+"/"+name+"/supervise/"+fifo))
		must(t, syscall.Mkfifo(r.dir+"/"+name+"/supervise/"+fifo, 0o600))
	}
}

func (r *services) addWithLink(t *testing.T, name, target, link string) {
	path := r.addService(t, name, isUp, 20) + "/" + link
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	must(t, os.Symlink(target, path))
}

func (r *services) addWithLoop(t *testing.T, name, file string) {
	r.addWithLink(t, name, filepath.Base(file), file)
}

func withCheck(text string, mode fs.FileMode) func(*testing.T, *services, string) {
	return func(t *testing.T, r *services, name string) {
		dir := r.addService(t, name, isUp, 20)
		must(t, os.WriteFile(dir+"/check", []byte(text), mode))
	}
}
