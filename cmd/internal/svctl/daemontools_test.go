package svctl

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"svinit/services/svdir"
)

// The tests in this file run Debian's tool and ours with the same arguments in the same
// directory, and compare stdout, stderr, exit code and the commands that are sent. Not
// tested: a working directory that cannot be opened, where daemontools fails and we do
// not; time stamps whose nanoseconds exceed a second, which no program writes; a status
// that is a directory, for which daemontools prints uninitialized memory.

// oddKinds makes service directories of every kind, by name.
var oddKinds = map[string]func(t *testing.T, dir string){
	"file":          func(t *testing.T, dir string) { writeFile(t, dir, "") },
	"empty":         mkdir,
	"dangling":      func(t *testing.T, dir string) { must(t, os.Symlink("nowhere", dir)) },
	"loop":          func(t *testing.T, dir string) { must(t, os.Symlink("loop", dir)) },
	"link":          func(t *testing.T, dir string) { must(t, os.Symlink("live", dir)) },
	"live":          supervisedLive,
	"with space":    supervisedLive,
	"with\nnewline": supervisedLive,
	"with\xffbyte":  supervisedLive,
	"-d":            supervisedLive,
	"log":           supervisedLive,
	"superfile":     func(t *testing.T, dir string) { mkdir(t, dir); writeFile(t, dir+"/supervise", "") },
	"nook":          func(t *testing.T, dir string) { supervisedLive(t, dir); must(t, os.Remove(dir+"/supervise/ok")) },
	"stale": func(t *testing.T, dir string) {
		makeSupervised(t, dir).Release()
	},
	"okdir": func(t *testing.T, dir string) {
		supervisedLive(t, dir)
		for _, name := range []string{"/supervise/ok", "/supervise/control"} {
			must(t, os.Remove(dir+name))
			mkdir(t, dir+name)
		}
	},
	"okloop": func(t *testing.T, dir string) {
		supervisedLive(t, dir)
		for _, name := range []string{"/supervise/ok", "/supervise/control"} {
			must(t, os.Remove(dir+name))
			must(t, os.Symlink(dir+name, dir+name))
		}
	},
	"oksocket": func(t *testing.T, dir string) {
		supervisedLive(t, dir)
		for _, name := range []string{"/supervise/ok", "/supervise/control"} {
			must(t, os.Remove(dir+name))
			must(t, syscall.Mknod(dir+name, syscall.S_IFSOCK|0o600, 0))
		}
	},
	"nostatus":   func(t *testing.T, dir string) { supervisedLive(t, dir); must(t, os.Remove(dir+"/supervise/status")) },
	"statusloop": func(t *testing.T, dir string) { linkLoop(t, dir, "/supervise/status") },
	"statusfifo": func(t *testing.T, dir string) {
		supervisedLive(t, dir)
		must(t, os.Remove(dir+"/supervise/status"))
		must(t, syscall.Mkfifo(dir+"/supervise/status", 0o600))
	},
	"status0":      statusOfSize(0),
	"status17":     statusOfSize(17),
	"status18":     statusOfSize(18),
	"status19":     statusOfSize(19),
	"status20":     statusOfSize(20),
	"status36":     statusOfSize(36),
	"status99":     statusOfSize(99),
	"down":         func(t *testing.T, dir string) { supervisedLive(t, dir); writeFile(t, dir+"/down", "") },
	"downdangling": func(t *testing.T, dir string) { supervisedLive(t, dir); must(t, os.Symlink("nowhere", dir+"/down")) },
	"downloop":     func(t *testing.T, dir string) { linkLoop(t, dir, "/down") },
	"stamp0":       statusWithStamp("\x00\x00\x00\x00\x00\x00\x00\x00"),
	"stamp1970":    statusWithStamp("\x40\x00\x00\x00\x00\x00\x00\x0a"),
	"stampmax":     statusWithStamp("\xff\xff\xff\xff\xff\xff\xff\xff"),
	"bigpid":       statusWithBytes(12, "\xff\xff\xff\xff"),
	"minuspaused":  statusWithBytes(12, "\x01\x00\x00\x00\xff"),
	"wantX":        statusWithBytes(17, "X"),
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	must(t, os.WriteFile(name, []byte(content), 0o644))
}

func mkdir(t *testing.T, name string) { must(t, os.Mkdir(name, 0o755)) }

// liveServices are the services made by supervisedLive, by directory.
var liveServices map[string]*svdir.Held

func supervisedLive(t *testing.T, dir string) { liveServices[dir] = makeSupervised(t, dir) }

func linkLoop(t *testing.T, dir, name string) {
	supervisedLive(t, dir)
	os.Remove(dir + name)
	must(t, os.Symlink(dir+name, dir+name))
}

// statusOfSize makes a status file of another size.
func statusOfSize(size int) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		supervisedLive(t, dir)
		b := svdir.Status{Since: inTheFuture, PID: 77, Paused: true, Want: svdir.WantDown}.Append(nil)
		b = append(b, make([]byte, 100)...)
		writeFile(t, dir+"/supervise/status", string(b[:size]))
	}
}

func statusWithStamp(label string) func(*testing.T, string) { return statusWithBytes(0, label) }

func statusWithBytes(offset int, bytes string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		supervisedLive(t, dir)
		b := svdir.Status{Since: inTheFuture, Want: svdir.WantUp}.Append(nil)[:18]
		copy(b[offset:], bytes)
		writeFile(t, dir+"/supervise/status", string(b))
	}
}

// makeOddServices makes all of oddKinds in a directory. It returns their names and some
// that do not exist.
func makeOddServices(t *testing.T) (root string, names []string) {
	t.Helper()
	root = openDir(t)
	liveServices = make(map[string]*svdir.Held)
	for _, name := range slices.Sorted(maps.Keys(oddKinds)) {
		oddKinds[name](t, root+"/"+name)
		names = append(names, name)
	}
	return root, append(names, "missing", "missing/log", "live/", "live/.", "./live", "link/../live", "file/",
		"live/supervise", "", ".", "..", "/", root+"/live", root+"/missing", "-", "--", "-z",
		strings.Repeat("n", 300), "live/"+strings.Repeat("n", 300), strings.Repeat("/n", 3000))
}

// compareTools runs both tools and compares the results.
func compareTools(t *testing.T, root string, i invocation) {
	t.Helper()
	i.dir = root
	if i.uid == nobody && os.Geteuid() != 0 {
		i.uid = 0
	}
	want, wantSent := runTool(t, i.real(t)), takeSent(t)
	got, gotSent := runTool(t, i.ours()), takeSent(t)
	// The age of a service may increase by a second between the two.
	if got.stdout != want.stdout {
		want, wantSent = runTool(t, i.real(t)), takeSent(t)
	}
	got.stderr = strings.Replace(got.stderr, "k kill"+ourOptions, "k kill", 1)
	got.stderr = withoutNotes(got.stderr)
	if got != want {
		t.Errorf("%s %q\n got %#v\nwant %#v", i.tool, i.args, got, want)
	}
	if gotSent != wantSent {
		t.Errorf("%s %q: sent %q, want %q", i.tool, i.args, gotSent, wantSent)
	}
}

// withoutNotes removes the lines that daemontools and runit do not have.
func withoutNotes(s string) string { return notePattern.ReplaceAllString(s, "") }

var notePattern = regexp.MustCompile(`(?m)^[^ ]*: note: .*\n`)

// checkRefused checks that our tool refuses, as wrong usage, what the original silently
// ignores. id is that of the row in doc/differences.md.
func checkRefused(t *testing.T, root, id string, i invocation) {
	t.Helper()
	page, err := os.ReadFile("../../../doc/differences.md")
	must(t, err)
	if !strings.Contains(string(page), "`"+id+"`") {
		t.Errorf("doc/differences.md has no %s", id)
	}
	i.dir = root
	if want := runTool(t, i.real(t)); want.code != 0 {
		t.Errorf("%s %q: the original refuses it too: %+v", i.tool, i.args, want)
	}
	takeSent(t)
	if got, sent := runTool(t, i.ours()), takeSent(t); got.code != 100 || !strings.HasPrefix(got.stderr, i.tool+": ") || got.stdout != "" || sent != "" {
		t.Errorf("%s %q: %+v, sent %q", i.tool, i.args, got, sent)
	}
}

// ourOptions is the part of the error message of svc that daemontools does not have.
var ourOptions = svcOptions()[strings.Index(svcOptions(), "k kill")+len("k kill"):]

// takeSent returns the commands that the services have received since the last call.
func takeSent(t *testing.T) string {
	t.Helper()
	all := ""
	for _, name := range slices.Sorted(maps.Keys(liveServices)) {
		if s := readCommands(t, liveServices[name]); s != "" {
			all += name + ":" + s + "\n"
		}
	}
	return all
}

func TestSvstatAsDaemontools(t *testing.T) {
	root, names := makeOddServices(t)
	for _, name := range names {
		compareTools(t, root, invocation{tool: "svstat", args: []string{name}})
	}
	compareTools(t, root, invocation{tool: "svstat", args: names})
}

func TestSvokAsDaemontools(t *testing.T) {
	root, names := makeOddServices(t)
	for _, name := range names {
		compareTools(t, root, invocation{tool: "svok", args: []string{name}})
	}
	compareTools(t, root, invocation{tool: "svok", args: []string{"live", "missing"}})
	compareTools(t, root, invocation{tool: "svok", args: []string{"missing", "live"}})
	compareTools(t, root, invocation{tool: "svok"})
}

func TestSvcAsDaemontools(t *testing.T) {
	root, names := makeOddServices(t)
	for _, name := range names {
		if !strings.HasPrefix(name, "-") { // or it is an option
			compareTools(t, root, invocation{tool: "svc", args: []string{"-d", name}})
		}
		if !strings.HasPrefix(name, "-") {
			checkRefused(t, root, "svc-nothing", invocation{tool: "svc", args: []string{name}})
		}
	}
	for _, args := range [][]string{
		nil, {"-d"}, {"-"}, {"--"}, {"-", "live"}, {"--", "live"}, {"--", "-d"}, {"live", "-u"}, {""}, {"", "live"}, {"-d", "-d"},
	} {
		checkRefused(t, root, "svc-nothing", invocation{tool: "svc", args: args})
	}
	checkRefused(t, root, "svc-nothing", invocation{tool: "svc", args: []string{"-d", "--"}})
	for _, args := range [][]string{{"--foo", "live"}, {"-d", "--foo", "live"}, {"--down", "live"}, {"--helpful"}} {
		checkRefused(t, root, "long-option", invocation{tool: "svc", args: args})
	}
	for _, args := range [][]string{
		{"-d", "--", "live", "-u"}, {"-d", "-", "live"}, {"-u", "live", "-d", "live"},
		{"-z"}, {"-z", "live"}, {"-dz", "live"}, {"-d", "-z", "live"}, {"-d", "live", "-z"}, {"-?", "live"}, {"-:", "live"},
		{"-\xff", "live"}, {"-d-", "live"}, {"-d-u", "live"}, {"-h", "live"},
		{"-d", "-d", "live"}, {"-dudu", "live"}, {"-udopchaitkx", "live"}, {"-xktiahcpodu", "live"}, {"-u", "-dx", "live", "link", "live"},
		{"-dddddddddddddddddddddddddddddddddddd", "live"}, {"-t", "missing", "live", "stale", "live"},
	} {
		compareTools(t, root, invocation{tool: "svc", args: args})
	}
	compareTools(t, root, invocation{tool: "svc", args: append([]string{"-hup"}, names...)})
}

// TestOtherUser compares the tools as a user without permissions.
func TestOtherUser(t *testing.T) {
	root := openDir(t)
	liveServices = make(map[string]*svdir.Held)
	for _, name := range []string{"private", "closed", "nosearch", "status", "down"} {
		supervisedLive(t, root+"/"+name)
	}
	must(t, os.Chmod(root+"/closed", 0))
	must(t, os.Chmod(root+"/nosearch", 0o644))
	t.Cleanup(func() { // so that their contents can be removed
		os.Chmod(root+"/closed", 0o755)
		os.Chmod(root+"/nosearch", 0o755)
	})
	for _, name := range []string{"status", "down"} {
		state := root + "/" + name + "/supervise"
		must(t, os.Chmod(state, 0o755))
		must(t, os.Chmod(state+"/ok", 0o666))
		must(t, os.Chmod(state+"/status", 0))
	}
	must(t, os.Chmod(root+"/down/supervise/status", 0o644))
	// Other users have no access to /proc/1/root: stat fails below it.
	must(t, os.Symlink("/proc/1/root/down", root+"/down/down"))
	names := []string{"private", "closed", "nosearch", "status", "down", "closed/x", "private/supervise"}
	for _, name := range names {
		for _, tool := range []string{"svstat", "svok", "svc"} {
			args := []string{name}
			if tool == "svc" {
				args = []string{"-u", name}
			}
			compareTools(t, root, invocation{tool: tool, args: args, uid: nobody})
		}
	}
	compareTools(t, root, invocation{tool: "svstat", args: names, uid: nobody})
	compareTools(t, root, invocation{tool: "svc", args: append([]string{"-d"}, names...), uid: nobody})
}

// TestBrokenStreams runs the tools with standard output and error on a full disk, or
// closed.
func TestBrokenStreams(t *testing.T) {
	root := openDir(t)
	liveServices = make(map[string]*svdir.Held)
	supervisedLive(t, root+"/live")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	must(t, err)
	defer full.Close()
	for _, tool := range []string{"svstat", "svok", "svc"} {
		i := invocation{tool: tool, args: []string{"live", "missing"}, dir: root}
		if tool == "svc" {
			i.args = append([]string{"-u"}, i.args...)
		}
		real, ours := i.real(t), i.ours()
		real.Stdout, real.Stderr = full, full
		ours.Stdout, ours.Stderr = full, full
		if got, want := runTool(t, ours), runTool(t, real); got != want {
			t.Errorf("%s to a full disk: %+v, want %+v", tool, got, want)
		}
	}
	takeSent(t)
	// With standard error closed svc still sends the commands.
	for _, i := range []invocation{
		{tool: "svc", args: []string{"-d", "missing", "live"}, dir: root},
		{tool: "svstat", args: []string{"live"}, dir: root},
	} {
		r, w, err := os.Pipe()
		must(t, err)
		r.Close()
		real, ours := i.real(t), i.ours()
		real.Stdout, real.Stderr, ours.Stdout, ours.Stderr = w, w, w, w
		want, wantSent := runTool(t, real), takeSent(t)
		got, gotSent := runTool(t, ours), takeSent(t)
		w.Close()
		if got != want || gotSent != wantSent {
			t.Errorf("%s without a reader: %+v %q, want %+v %q", i.tool, got, gotSent, want, wantSent)
		}
		if i.tool == "svc" && gotSent == "" {
			t.Error("nothing was sent")
		}
	}
}
