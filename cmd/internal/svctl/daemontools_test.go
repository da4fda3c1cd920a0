package svctl

import (
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"svinit/services/svdir"
)

// The tests of this file run Debian's tool and ours with the same arguments in
// the same directory, and compare stdout, stderr, exit code and the commands
// that arrive. Not tested: a working directory that cannot be opened, where
// daemontools gives up and we do not need it; stamps whose nanoseconds exceed a
// second, which no program writes; a status that is a directory, of which
// daemontools prints what happens to be in its memory.

// odd is service directories of every kind, by name.
var odd = map[string]func(t *testing.T, dir string){
	"file":          func(t *testing.T, dir string) { put(t, dir, "") },
	"empty":         mkdir,
	"dangling":      func(t *testing.T, dir string) { must(t, os.Symlink("nowhere", dir)) },
	"loop":          func(t *testing.T, dir string) { must(t, os.Symlink("loop", dir)) },
	"link":          func(t *testing.T, dir string) { must(t, os.Symlink("live", dir)) },
	"live":          live,
	"with space":    live,
	"with\nnewline": live,
	"with\xffbyte":  live,
	"-d":            live,
	"log":           live,
	"superfile":     func(t *testing.T, dir string) { mkdir(t, dir); put(t, dir+"/supervise", "") },
	"nook":          func(t *testing.T, dir string) { live(t, dir); must(t, os.Remove(dir+"/supervise/ok")) },
	"stale": func(t *testing.T, dir string) {
		supervised(t, dir).Release()
	},
	"okfile": func(t *testing.T, dir string) {
		live(t, dir)
		for _, name := range []string{"/supervise/ok", "/supervise/control"} {
			must(t, os.Remove(dir+name))
			put(t, dir+name, "")
		}
	},
	"okdir": func(t *testing.T, dir string) {
		live(t, dir)
		for _, name := range []string{"/supervise/ok", "/supervise/control"} {
			must(t, os.Remove(dir+name))
			mkdir(t, dir+name)
		}
	},
	"okloop": func(t *testing.T, dir string) {
		live(t, dir)
		for _, name := range []string{"/supervise/ok", "/supervise/control"} {
			must(t, os.Remove(dir+name))
			must(t, os.Symlink(dir+name, dir+name))
		}
	},
	"oksocket": func(t *testing.T, dir string) {
		live(t, dir)
		for _, name := range []string{"/supervise/ok", "/supervise/control"} {
			must(t, os.Remove(dir+name))
			must(t, syscall.Mknod(dir+name, syscall.S_IFSOCK|0o600, 0))
		}
	},
	"fullcontrol": func(t *testing.T, dir string) {
		live(t, dir)
		must(t, os.Remove(dir+"/supervise/control"))
		must(t, os.Symlink("/dev/full", dir+"/supervise/control"))
	},
	"nostatus":   func(t *testing.T, dir string) { live(t, dir); must(t, os.Remove(dir+"/supervise/status")) },
	"statusloop": func(t *testing.T, dir string) { loopAt(t, dir, "/supervise/status") },
	"statusfifo": func(t *testing.T, dir string) {
		live(t, dir)
		must(t, os.Remove(dir+"/supervise/status"))
		must(t, syscall.Mkfifo(dir+"/supervise/status", 0o600))
	},
	"status0":      record(0),
	"status17":     record(17),
	"status18":     record(18),
	"status19":     record(19),
	"status20":     record(20),
	"status36":     record(36),
	"status99":     record(99),
	"down":         func(t *testing.T, dir string) { live(t, dir); put(t, dir+"/down", "") },
	"downdangling": func(t *testing.T, dir string) { live(t, dir); must(t, os.Symlink("nowhere", dir+"/down")) },
	"downloop":     func(t *testing.T, dir string) { loopAt(t, dir, "/down") },
	"stamp0":       stamp("\x00\x00\x00\x00\x00\x00\x00\x00"),
	"stamp1970":    stamp("\x40\x00\x00\x00\x00\x00\x00\x0a"),
	"stampmax":     stamp("\xff\xff\xff\xff\xff\xff\xff\xff"),
	"bigpid":       bytesAt(12, "\xff\xff\xff\xff"),
	"minuspaused":  bytesAt(12, "\x01\x00\x00\x00\xff"),
	"wantX":        bytesAt(17, "X"),
}

func put(t *testing.T, name, content string) {
	t.Helper()
	must(t, os.WriteFile(name, []byte(content), 0o644))
}

func mkdir(t *testing.T, name string) { must(t, os.Mkdir(name, 0o755)) }

// controls is what the services that live have received.
var controls map[string]*svdir.Held

func live(t *testing.T, dir string) { controls[dir] = supervised(t, dir) }

func loopAt(t *testing.T, dir, name string) {
	live(t, dir)
	os.Remove(dir + name)
	must(t, os.Symlink(dir+name, dir+name))
}

// record makes a status file of another size.
func record(size int) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		live(t, dir)
		b := svdir.Status{Since: soon, PID: 77, Paused: true, Want: svdir.WantDown}.Append(nil)
		b = append(b, make([]byte, 100)...)
		put(t, dir+"/supervise/status", string(b[:size]))
	}
}

func stamp(label string) func(*testing.T, string) { return bytesAt(0, label) }

func bytesAt(offset int, bytes string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		live(t, dir)
		b := svdir.Status{Since: soon, Want: svdir.WantUp}.Append(nil)[:18]
		copy(b[offset:], bytes)
		put(t, dir+"/supervise/status", string(b))
	}
}

// oddServices makes all of odd in a directory and returns their names, with
// some that are not there.
func oddServices(t *testing.T) (root string, names []string) {
	t.Helper()
	root = openDir(t)
	controls = make(map[string]*svdir.Held)
	for _, name := range slices.Sorted(maps.Keys(odd)) {
		odd[name](t, root+"/"+name)
		names = append(names, name)
	}
	return root, append(names, "missing", "missing/log", "live/", "live/.", "./live", "link/../live", "file/",
		"live/supervise", "", ".", "..", "/", root+"/live", root+"/missing", "-", "--", "-z",
		strings.Repeat("n", 300), "live/"+strings.Repeat("n", 300), strings.Repeat("/n", 3000))
}

// same runs both tools and compares.
func same(t *testing.T, root string, i invocation) {
	t.Helper()
	i.dir = root
	if i.uid == nobody && os.Geteuid() != 0 {
		i.uid = 0
	}
	want, wantSent := run(t, i.real(t)), sent(t)
	got, gotSent := run(t, i.ours()), sent(t)
	// The second of some stamps' age may pass between the two.
	if got.stdout != want.stdout {
		want, wantSent = run(t, i.real(t)), sent(t)
	}
	got.stderr = strings.Replace(got.stderr, "k kill"+ourOptions, "k kill", 1)
	if got != want {
		t.Errorf("%s %q\n got %#v\nwant %#v", i.tool, i.args, got, want)
	}
	if gotSent != wantSent {
		t.Errorf("%s %q: sent %q, want %q", i.tool, i.args, gotSent, wantSent)
	}
}

// ourOptions is what the sentence of svc has more than daemontools'.
var ourOptions = svcOptions()[strings.Index(svcOptions(), "k kill")+len("k kill"):]

// sent returns the commands that have come to the services, and forgets them.
func sent(t *testing.T) string {
	t.Helper()
	all := ""
	for _, name := range slices.Sorted(maps.Keys(controls)) {
		if s := received(t, controls[name]); s != "" {
			all += name + ":" + s + "\n"
		}
	}
	return all
}

func TestSvstatAsDaemontools(t *testing.T) {
	root, names := oddServices(t)
	for _, name := range names {
		same(t, root, invocation{tool: "svstat", args: []string{name}})
	}
	same(t, root, invocation{tool: "svstat", args: names})
	same(t, root, invocation{tool: "svstat"})
}

func TestSvokAsDaemontools(t *testing.T) {
	root, names := oddServices(t)
	for _, name := range names {
		same(t, root, invocation{tool: "svok", args: []string{name}})
	}
	same(t, root, invocation{tool: "svok", args: []string{"live", "missing"}})
	same(t, root, invocation{tool: "svok", args: []string{"missing", "live"}})
	same(t, root, invocation{tool: "svok"})
}

func TestSvcAsDaemontools(t *testing.T) {
	root, names := oddServices(t)
	for _, name := range names {
		same(t, root, invocation{tool: "svc", args: []string{"-d", name}})
		same(t, root, invocation{tool: "svc", args: []string{name}})
	}
	for _, args := range [][]string{
		nil, {"-d"}, {"-"}, {"--"}, {"-", "live"}, {"--", "live"}, {"--", "-d"}, {"-d", "--", "live", "-u"},
		{"--foo", "live"}, {"-d", "--foo", "live"}, {"-d", "-", "live"}, {"live", "-u"}, {"-u", "live", "-d", "live"},
		{"-z"}, {"-z", "live"}, {"-dz", "live"}, {"-d", "-z", "live"}, {"-d", "live", "-z"}, {"-?", "live"}, {"-:", "live"},
		{"-\xff", "live"}, {"-d-", "live"}, {"-d-u", "live"}, {"-h", "live"}, {"--help"}, {"-", "-d", "live"}, {""}, {"", "live"},
		{"-d", "-d", "live"}, {"-dudu", "live"}, {"-udopchaitkx", "live"}, {"-xktiahcpodu", "live"}, {"-u", "-dx", "live", "link", "live"},
		{"-dddddddddddddddddddddddddddddddddddd", "live"}, {"-t", "missing", "live", "stale", "live"},
	} {
		same(t, root, invocation{tool: "svc", args: args})
	}
	same(t, root, invocation{tool: "svc", args: append([]string{"-hup"}, names...)})
}

// TestKeptOut looks at services as a user who may not.
func TestKeptOut(t *testing.T) {
	root := openDir(t)
	controls = make(map[string]*svdir.Held)
	for _, name := range []string{"private", "closed", "nosearch", "status", "down"} {
		live(t, root+"/"+name)
	}
	must(t, os.Chmod(root+"/closed", 0))
	must(t, os.Chmod(root+"/nosearch", 0o644))
	t.Cleanup(func() { // so that what is in them can be removed
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
	// To others /proc/1/root is closed: what is below cannot even be asked for.
	must(t, os.Symlink("/proc/1/root/down", root+"/down/down"))
	names := []string{"private", "closed", "nosearch", "status", "down", "closed/x", "private/supervise"}
	for _, name := range names {
		for _, tool := range []string{"svstat", "svok", "svc"} {
			same(t, root, invocation{tool: tool, args: []string{name}, uid: nobody})
		}
	}
	same(t, root, invocation{tool: "svstat", args: names, uid: nobody})
	same(t, root, invocation{tool: "svc", args: append([]string{"-d"}, names...), uid: nobody})
}

// TestStreams runs the tools where their streams are of no use.
func TestStreams(t *testing.T) {
	root := openDir(t)
	controls = make(map[string]*svdir.Held)
	live(t, root+"/live")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	must(t, err)
	defer full.Close()
	for _, tool := range []string{"svstat", "svok", "svc"} {
		i := invocation{tool: tool, args: []string{"live", "missing"}, dir: root}
		real, ours := i.real(t), i.ours()
		real.Stdout, real.Stderr = full, full
		ours.Stdout, ours.Stderr = full, full
		if got, want := run(t, ours), run(t, real); got != want {
			t.Errorf("%s to a full disk: %+v, want %+v", tool, got, want)
		}
	}
	// The reader of svc's warnings has gone: the commands are sent all the same.
	for _, i := range []invocation{
		{tool: "svc", args: []string{"-d", "missing", "live"}, dir: root},
		{tool: "svstat", args: []string{"live"}, dir: root},
	} {
		r, w, err := os.Pipe()
		must(t, err)
		r.Close()
		real, ours := i.real(t), i.ours()
		real.Stdout, real.Stderr, ours.Stdout, ours.Stderr = w, w, w, w
		want, wantSent := run(t, real), sent(t)
		got, gotSent := run(t, ours), sent(t)
		w.Close()
		if got != want || gotSent != wantSent {
			t.Errorf("%s without a reader: %+v %q, want %+v %q", i.tool, got, gotSent, want, wantSent)
		}
		if i.tool == "svc" && gotSent == "" {
			t.Error("nothing was sent")
		}
	}
}
