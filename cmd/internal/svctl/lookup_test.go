package svctl

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"svinit/services/svdir"
)

// makeScanDir makes a scan directory with services of all kinds, and another directory to
// run the tools in.
func makeScanDir(t *testing.T) (scan, here string) {
	t.Helper()
	root := openDir(t)
	scan, here = root+"/scan", root+"/here"
	liveServices = make(map[string]*svdir.Held)
	mkdir(t, scan)
	mkdir(t, here)
	mkdir(t, root+"/available")
	supervisedLive(t, root+"/available/web")
	supervisedLive(t, root+"/available/web/log")
	must(t, os.Symlink("../available/web", scan+"/web"))
	supervisedLive(t, scan+"/cache")
	supervisedLive(t, scan+"/.hidden")
	mkdir(t, scan+"/idle")
	writeFile(t, scan+"/idle/log", "a file is no logger")
	writeFile(t, scan+"/README", "nor is it a service")
	must(t, os.Symlink("nowhere", scan+"/dangling"))
	supervisedLive(t, here+"/local")
	supervisedLive(t, scan+"/local")
	writeFile(t, here+"/cache", "a file here does not hide the service")
	must(t, os.MkdirAll(here+"/web/log", 0o755)) // nor does a directory
	mkdir(t, here+"/only")
	return scan, here
}

const (
	downLine  = "down 0 seconds, normally up, want up\n"
	noOKLine  = "unable to open supervise/ok: file does not exist\n"
	noDirLine = "unable to chdir: file does not exist\n"
)

func TestByName(t *testing.T) {
	dir, here := makeScanDir(t)
	env := []string{"SVINIT_SERVICE_DIR=" + dir}
	for arg, want := range map[string]string{
		"web":       downLine,
		"web/log":   downLine,
		"cache":     downLine,
		"idle":      noOKLine,
		"local":     downLine,
		"only":      noOKLine,
		".":         noOKLine, // the working directory
		"..":        noOKLine,
		"":          noDirLine, // not the scan directory
		"/log":      noDirLine,
		"missing":   noDirLine,
		"README":    noDirLine,
		"dangling":  noDirLine,
		"./web":     noOKLine, // a path is not looked up in the scan directory
		"./only":    noOKLine,
		"./cache":   "unable to chdir: not a directory\n",
		"web/":      noOKLine,
		"web/log/":  noOKLine,
		"web/other": noDirLine,
	} {
		got := runTool(t, invocation{tool: "svstat", args: []string{arg}, dir: here, env: env}.ours())
		if got != (outcome{stdout: arg + ": " + want}) {
			t.Errorf("svstat %q: %+v, want %q", arg, got, want)
		}
		wantCode, ok := map[string]int{downLine: 0, noOKLine: 100}[want]
		if !ok {
			wantCode = 111
		}
		if got := runTool(t, invocation{tool: "svok", args: []string{arg}, dir: here, env: env}.ours()); got.code != wantCode {
			t.Errorf("svok %q: %+v, want %d", arg, got, wantCode)
		}
	}
	for arg, code := range map[string]int{"web": 0, "local": 0, "./web": 111, "web/log": 0} {
		if got := runTool(t, invocation{tool: "svwait", args: []string{"-d", arg}, dir: here, env: env}.ours()); got.code != code {
			t.Errorf("svwait %s: %+v, want %d", arg, got, code)
		}
	}
	for arg, want := range map[string]string{"web": "down: web: ", "local": "down: local: ", "cache": "down: cache: ", "./web": "warning: ./web: "} {
		if got := runTool(t, invocation{tool: "sv", args: []string{"status", arg}, dir: here, env: env}.ours()); !strings.HasPrefix(got.stdout, want) {
			t.Errorf("sv status %s: %+v, want %s", arg, got, want)
		}
	}
	runTool(t, invocation{tool: "sv", args: []string{"kill", "local", "web"}, dir: here, env: env}.ours())
	if got, want := takeSent(t), strings.TrimSuffix(dir, "/scan")+"/available/web:k\n"+here+"/local:k\n"; got != want {
		t.Errorf("sv sent %q, want %q", got, want)
	}
	got := runTool(t, invocation{tool: "svc", args: []string{"-dx", "web", "local", "web/log", "nix"}, dir: here, env: env}.ours())
	if got != (outcome{stderr: "svc: warning: unable to chdir to nix: file does not exist\n"}) {
		t.Errorf("svc: %+v", got)
	}
	root := strings.TrimSuffix(dir, "/scan")
	want := root + "/available/web:dx\n" + root + "/available/web/log:dx\n" + here + "/local:dx\n"
	if got := takeSent(t); got != want {
		t.Errorf("svc sent %q, want %q", got, want)
	}
}

// TestLetters sends all letters, also those that daemontools does not have.
func TestLetters(t *testing.T) {
	_, here := makeScanDir(t)
	const letters = "q12byrlPCKOudopchaitkx"
	got := runTool(t, invocation{tool: "svc", args: []string{"-" + letters, "-qq", "local"}, dir: here}.ours())
	if got != (outcome{}) {
		t.Errorf("svc: %+v", got)
	}
	if got, want := takeSent(t), here+"/local:"+letters+"\n"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	page, err := os.ReadFile("../../../doc/man/svc.8")
	must(t, err)
	for _, c := range svdir.Commands {
		letter := regexp.QuoteMeta(string(rune(c.Letter)))
		if !strings.Contains(letters, letter) || !strings.Contains(Svc.Synopsis, letter) {
			t.Errorf("the test or the usage of svc does not have %s", letter)
		}
		if !regexp.MustCompile(`(?m)(^  |   |, )` + letter + "  ").MatchString(Svc.Help) {
			t.Errorf("the help of svc does not explain %s", letter)
		}
		if !regexp.MustCompile(`(?m)^\.It Fl (. , )*` + letter + `( ,|$)`).Match(page) {
			t.Errorf("svc(8) does not explain %s", letter)
		}
	}
	if len(letters) != len(svdir.Commands) {
		t.Errorf("%d letters, want %d", len(letters), len(svdir.Commands))
	}
	for _, word := range []string{"check", "start", "stop", "shutdown", "restart", "try-restart", "reload", "force-stop", "force-shutdown", "force-restart", "force-reload",
		"up", "down", "once", "exit", "pause", "cont", "hup", "alarm", "interrupt", "quit", "1", "2", "term", "kill", "X", "E", "D", "T"} {
		o, ok := parseCommand(word, false)
		for _, letter := range []byte(o.letters) {
			if _, known := svdir.CommandOf(letter); !known {
				ok = false
			}
		}
		if !ok {
			t.Errorf("sv %s sends %q", word, o.letters)
		}
	}
}

const listing = "cache: " + downLine +
	"dangling: " + noDirLine +
	"idle: " + noOKLine +
	"local: " + downLine +
	"web: " + downLine +
	"web/log: " + downLine

// TestList lists the scan directory, on a terminal and elsewhere.
func TestList(t *testing.T) {
	dir, here := makeScanDir(t)
	i := invocation{tool: "svstat", dir: here, env: []string{"SVINIT_SERVICE_DIR=" + dir}}
	if got := runTool(t, i.ours()); got != (outcome{stdout: listing}) {
		t.Errorf("without a terminal: %+v", got)
	}
	master, slave := openTerminal(t)
	cmd := i.ours()
	cmd.Stdout = slave
	if got := runTool(t, cmd); got != (outcome{}) {
		t.Errorf("on a terminal: %+v", got)
	}
	slave.Close()
	// One read suffices; after the output it would fail with EIO (pty(7)).
	b := make([]byte, 4096)
	n, err := master.Read(b)
	must(t, err)
	if got := strings.ReplaceAll(string(b[:n]), "\r\n", "\n"); got != listing {
		t.Errorf("on a terminal:\n%s\nwant\n%s", got, listing)
	}
	i.env = []string{"SVINIT_SERVICE_DIR=" + dir + "/no"}
	want := outcome{stderr: "svstat: fatal: unable to read directory " + dir + "/no: file does not exist\n", code: 111}
	if got := runTool(t, i.ours()); got != want {
		t.Errorf("without a scan directory: %+v", got)
	}
	must(t, os.Mkdir(dir+"/idle/empty", 0o755))
	i.env = []string{"SVINIT_SERVICE_DIR=" + dir + "/idle/empty"}
	want = outcome{stderr: "svstat: note: no service is in " + dir + "/idle/empty\n"}
	if got := runTool(t, i.ours()); got != want {
		t.Errorf("with an empty scan directory: %+v", got)
	}
}

// TestNotes checks what the tools say besides the words of daemontools and runit.
func TestNotes(t *testing.T) {
	dir, here := makeScanDir(t)
	env := []string{"SVINIT_SERVICE_DIR=" + dir}
	const of = ": note: there is no service "
	for arg, near := range map[string]string{
		"wbe": "web", "Web": "web", "cahce": "cache", "cach": "cache", "idel": "idle", "locale": "local",
		"zzz": "", "nginx": "", "web": "", "./wbe": "", "": "", "idle": "", "webs/log": "web/log",
	} {
		for tool, args := range map[string][]string{"svc": {"-u", arg}, "svstat": {arg}, "svok": {arg}, "svwait": {"-t", "1", "-d", arg}, "sv": {"status", arg}} {
			if tool == "sv" && strings.Contains(arg, "/") {
				continue
			}
			got := runTool(t, invocation{tool: tool, args: args, dir: here, env: env}.ours())
			want := ""
			if near != "" {
				want = tool + of + arg + " in " + dir + ", but " + near + "\n"
			}
			if notes := strings.Join(notePattern.FindAllString(got.stderr, -1), ""); notes != want {
				t.Errorf("%s %q: %q, want %q", tool, arg, notes, want)
			}
		}
	}
	if os.Geteuid() != 0 {
		return // nobody can refuse us
	}
	h := liveServices[dir+"/cache"]
	for n, who := range []string{"root", "root and group 4321"} {
		if group := 4321 * n; group != 0 {
			must(t, h.Share(group))
			must(t, os.Chmod(dir+"/cache/supervise", 0o755))
		}
		for tool, args := range map[string][]string{"svc": {"-u", "cache", "cache"}, "svwait": {"cache"}, "sv": {"up", "cache"}} {
			got := runTool(t, invocation{tool: tool, args: args, dir: "/", env: env, uid: nobody}.ours())
			if want := tool + ": note: only " + who + " may do that with cache\n"; strings.Count(got.stderr, want) != 1 {
				t.Errorf("%s for %s: %+v, want %q", tool, who, got, want)
			}
		}
	}
}

// TestFallback checks that the tools find the state of a service whose directory is not
// writable.
func TestFallback(t *testing.T) {
	dir, here := makeScanDir(t)
	must(t, os.Remove(dir+"/idle/log")) // sv warns of it
	base := here + "/state"
	must(t, os.Mkdir(base, 0o700))
	liveServices = map[string]*svdir.Held{"idle": holdState(t, base+"/idle")}
	must(t, liveServices["idle"].Mark(dir+"/idle"))
	for _, arg := range []string{"idle", dir + "/idle", dir + "/./idle/", "../scan/idle"} {
		env := []string{"SVINIT_SERVICE_DIR=" + dir, "SVINIT_STATE_DIR=" + base}
		for tool, want := range map[string]outcome{
			"svok":   {},
			"svstat": {stdout: arg + ": " + downLine},
			"svc":    {},
			"svwait": {},
			"sv":     {stdout: "down: " + arg + ": 0s, normally up, want up\n"},
		} {
			i := invocation{tool: tool, args: []string{arg}, dir: here, env: env}
			switch tool {
			case "svc", "svwait":
				i.args = []string{"-d", arg}
			case "sv":
				i.args = []string{"status", arg}
			}
			if got := runTool(t, i.ours()); got != want {
				t.Errorf("%s %s: %+v, want %+v", tool, arg, got, want)
			}
		}
		if got := takeSent(t); got != "idle:d\n" {
			t.Errorf("svc -d %s sent %q", arg, got)
		}
	}
	// Without the variable it is not found; the error is that of the service directory.
	got := runTool(t, invocation{tool: "svc", args: []string{"-d", dir + "/idle"}, dir: here}.ours())
	if got.stderr != "svc: warning: unable to control "+dir+"/idle: file does not exist\n" {
		t.Errorf("svc elsewhere: %+v", got)
	}
}

// openTerminal opens a new terminal, like openpty(3).
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { master.Close() })
	var unlock, n int32
	for request, arg := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &n} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(arg))); errno != 0 {
			t.Fatal(errno)
		}
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	return master, slave
}
