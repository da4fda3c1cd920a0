package spec

import (
	"errors"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Files of a service directory that mean something elsewhere and nothing here:
// those of other supervisors, those that svinit does not act on yet, and names
// that look mistyped. Each is a [Problem] with Hint: a user who wrote such a
// file expects something of it.
//
// An application may keep its own files in its service directory, so a name is
// pointed out only if it is one of the list, or if there is hardly anything else
// that it could mean.

// kind says what a file must be to mean something.
type kind uint8

const (
	aFile kind = iota
	anEmptyFile
	anExecutable
	aDirectory
)

// foreign are the names that svinit does not act on. A name that is in names too
// is acted on: names is searched first.
var foreign = [...]struct {
	name string
	kind kind
	why  string
}{
	{"lock-fd", aFile, `a file of s6: put setlock into run instead`},
	{"max-death-tally", aFile, "a file of s6, which has tools that count deaths"},
	{"flag-newpidns", aFile, "a file of s6: put unshare(1) into run instead"},
	{"type", aFile, ""},
	{"up", aFile, "a file of s6-rc: only run is started"},
	{"timeout-up", aFile, "a file of s6-rc"},
	{"timeout-down", aFile, "a file of s6-rc"},
	{"dependencies", aFile, "a file of s6-rc: all services start at once"},
	{"dependencies.d", aDirectory, "a directory of s6-rc: all services start at once"},
	{"contents", aFile, "a file of s6-rc: every service has a link in the scan directory"},
	{"contents.d", aDirectory, "a directory of s6-rc: every service has a link in the scan directory"},
	{"flag-essential", aFile, "a file of s6-rc"},
	{"flag-recommended", aFile, "a file of s6-rc"},
	{"producer-for", aFile, "a file of s6-rc: a logger is log/run"},
	{"consumer-for", aFile, "a file of s6-rc: a logger is log/run"},
	{"pipeline-name", aFile, "a file of s6-rc: a logger is log/run"},
	{"no-setsid", aFile, "a file of daemontools-encore: every service has a session of its own"},
	{"check", anExecutable, "only sv(8) runs it, as runit's does"},
	{"flag-sd-notify", aFile, ""},
	{"flag-check-liveness", aFile, ""},
	{"ready-tcp", aFile, ""},
	{"ready-http", aFile, ""},
	{"ready-log", aFile, ""},
	{"ready-file", aFile, ""},
	{"on-success", aFile, ""},
	{"on-failure", aFile, ""},
	{"exit-codes", aFile, ""},
	{"backoff", aFile, ""},
	{"give-up", aFile, ""},
	{"condition", anExecutable, ""},
	{"instances", aFile, ""},
	{"schedule", aFile, ""},
	{"log-dir", aFile, ""},
	{"signals", aFile, ""},
}

// maxUnknown is how many names of a directory are looked at, beside those that
// mean something. A service that has more keeps its data in its directory.
const maxUnknown = 64

// mayMean reports whether a name that is not in names may have been meant for a
// supervisor: every name that can be has letters and these separators alone.
func mayMean(name []byte) bool {
	if len(name) < 2 || len(name) > 24 || name[0] == '.' {
		return false
	}
	for _, c := range name {
		if (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return string(name) != "run" && string(name) != "supervise"
}

// pointOut notes a problem for each of these names that seems to be meant for a
// supervisor.
func (r *reader) pointOut(unknown []string) {
	for _, name := range unknown {
		if why := r.unused(name); why != "" {
			r.problem("use", name, errors.New(why))
			r.problems[len(r.problems)-1].Hint = true
		}
	}
}

// unused returns why a file that is not in names has no effect, or "" where that
// is not worth a line.
func (r *reader) unused(name string) string {
	for _, f := range foreign {
		if name != f.name {
			continue
		}
		if !r.isA(name, f.kind) || r.isDefault(name) {
			return ""
		}
		if f.why == "" {
			return "this version of svinit does not act on it"
		}
		return "this version of svinit does not act on it (" + f.why + ")"
	}
	for _, f := range foreign {
		if isMistyped(name, f.name) && r.isA(name, f.kind) {
			return "it has no meaning: is " + f.name + " meant?"
		}
	}
	for f, known := range names {
		if isMistyped(name, known) && r.isA(name, kindOf(file(f))) {
			return "it has no meaning: is " + known + " meant?"
		}
	}
	return ""
}

// kindOf returns what a file that svinit acts on must be.
func kindOf(f file) kind {
	switch names[f] {
	case "down":
		return anEmptyFile // an application has words of its own that look like it
	case "finish":
		return anExecutable
	case "log", "control", "env", "env-secrets":
		return aDirectory
	}
	return aFile
}

// isA reports whether name is of this kind. An executable is a file too.
func (r *reader) isA(name string, k kind) bool {
	if k == anExecutable {
		return isExecutable(r.dir, name)
	}
	var st unix.Stat_t
	format := uint32(unix.S_IFREG)
	if k == aDirectory {
		format = unix.S_IFDIR
	}
	return unix.Fstatat(r.dir, name, &st, 0) == nil && st.Mode&unix.S_IFMT == format && (k != anEmptyFile || st.Size == 0)
}

// isDefault reports whether a file says what is so without it: s6-rc requires a
// type, and s6-overlay that nearly every service depends on base, which stands
// for the boot of the container.
func (r *reader) isDefault(name string) bool {
	switch name {
	case "type":
		content, err := ReadFile(r.path + "/type")
		return err == nil && strings.TrimSpace(string(content)) == "longrun"
	case "dependencies.d":
		entries, err := os.ReadDir(r.path + "/dependencies.d")
		return err == nil && !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !alwaysMet(e.Name()) })
	case "dependencies":
		content, err := ReadFile(r.path + "/dependencies")
		return err == nil && !slices.ContainsFunc(strings.Fields(string(content)), func(name string) bool { return !alwaysMet(name) })
	}
	return false
}

// alwaysMet reports whether a dependency is on what s6-overlay itself does
// before services are started.
func alwaysMet(name string) bool {
	return name == "base" || name == "legacy-cont-init" || name[0] == '.'
}
