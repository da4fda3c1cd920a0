package services

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"svinit/reaper/proc"
	"svinit/services/machine"
	"svinit/services/spec"
)

// endSoon is how long a process that a service has left may take to end by
// itself before it is reported.
const endSoon = time.Second

// left is the search for what a process of a service leaves running when it
// ends. Such processes keep ports and files in use, and svstat does not show
// them.
type left struct {
	cfg     *Config
	slots   *slots
	dir     string    // of the service
	run     string    // the path of the program
	session int       // the pid of the process, which is that of its session
	began   time.Time // of the process, unless it cannot have put itself into the background
	ended   time.Time
	tell    func(names, text string)
}

// searchForLeft returns the search after the end of the last process.
func (o *owner) searchForLeft(status syscall.WaitStatus) func() {
	l := &left{cfg: o.cfg, slots: o.slots, dir: o.Source.Dir, run: filepath.Join(o.Source.Dir, o.spec.Path), session: o.group, ended: o.Since}
	if status == 0 { // as after daemon(3)
		l.began = o.forked
	}
	l.tell = func(names, text string) {
		o.inbox.send(jobResult(func() {
			if o.leftNames != names {
				o.leftNames = names
				o.news(text)
			}
		}))
	}
	if o.State == machine.StateReleased { // its owner ends
		cfg, name := o.cfg, o.Source.Name
		l.tell = func(_, text string) { cfg.news(name, text) }
	}
	return l.search
}

// search reports what is left, unless it ends soon, or all services are stopped:
// that ends what they leave.
func (l *left) search() {
	var found []proc.Process
	l.inSlot(func() { found = l.cfg.Procs.LeftBy(l.session, l.began, l.ended) })
	if len(found) == 0 {
		return
	}
	<-time.After(endSoon)
	if l.cfg.stopping.Load() {
		return
	}
	var names, text string
	l.inSlot(func() { names, text = l.explain(found) })
	if names != "" && !l.cfg.stopping.Load() {
		l.tell(names, text)
	}
}

// inSlot calls f in a slot.
func (l *left) inSlot(f func()) {
	l.slots.taken <- struct{}{}
	j := &job{began: time.Now(), hangs: func() {}}
	l.slots.begin(j)
	defer l.slots.end(j)
	f()
}

// explain says which of the processes still run, and the cure. Their names alone
// are returned too.
func (l *left) explain(found []proc.Process) (names, text string) {
	run, err := spec.ReadFile(l.run)
	script := err == nil && bytes.HasPrefix(run, []byte("#!"))
	cure := "svinit supervises only the process that it has started"
	if script && !bytes.Contains(run, []byte("exec ")) {
		cure = "start the program with exec in " + l.run
	}
	var kinds, each []string
	for _, p := range found {
		now, runs := l.cfg.Procs.Again(p)
		if !runs {
			continue
		}
		if p.Session != l.session && !l.isOurs(now, script && bytes.Contains(run, []byte(now.Name))) {
			continue
		}
		if first := l.cfg.Procs.Claim(now); p.Session != l.session && !first {
			continue
		}
		if now.Session != l.session {
			cure = "keep it in the foreground: remove -d, --daemon or the like from " + l.run
		}
		kinds = append(kinds, now.Name)
		each = append(each, fmt.Sprintf("%s (pid %d)", now.Name, now.PID))
	}
	const few = 5
	if more := len(each) - few; more > 0 {
		each = append(each[:few], fmt.Sprintf("%d more", more))
	}
	verb := "runs"
	if len(each) > 1 {
		verb = "run"
	}
	slices.Sort(kinds)
	return strings.Join(slices.Compact(kinds), "/"), fmt.Sprintf("has ended, but %s still %s: %s", strings.Join(each, ", "), verb, cure)
}

// isOurs guesses whether a process with a session of its own was left by this
// service: it is still in the service directory, or its name is in run and it is
// not in the directory of another service.
func (l *left) isOurs(p proc.Process, named bool) bool {
	cwd := fmt.Sprintf("/proc/%d/cwd", p.PID)
	var there, here unix.Stat_t
	if unix.Stat(cwd, &there) == nil && unix.Stat(l.dir, &here) == nil && there.Dev == here.Dev && there.Ino == here.Ino {
		return true
	}
	return named && unix.Access(cwd+"/run", unix.X_OK) != nil
}
