package svctl

import (
	"os"
	"syscall"
	"testing"

	"svinit/services/svdir"
)

// TestNotFIFO puts other things in the place of the FIFOs, as the user of a
// service can where the directory is that user's: root's tools neither write to
// them nor wait.
func TestNotFIFO(t *testing.T) {
	liveServices = make(map[string]*svdir.Held)
	dir := t.TempDir()
	victim := dir + "/victim"
	writeFile(t, victim, "precious")
	for kind, put := range map[string]func(name string) error{
		"file":   func(name string) error { return os.WriteFile(name, []byte("precious"), 0o600) },
		"link":   func(name string) error { return os.Symlink(victim, name) },
		"fifo":   func(name string) error { return os.Symlink(dir+"/other", name) },
		"device": func(name string) error { return os.Symlink("/dev/full", name) },
	} {
		service := dir + "/" + kind
		mkdir(t, service)
		h := makeSupervised(t, service)
		for _, name := range []string{"/supervise/ok", "/supervise/control"} {
			must(t, os.Remove(service+name))
			if kind == "fifo" { // one that somebody else reads
				os.Remove(dir + "/other")
				must(t, syscall.Mkfifo(dir+"/other", 0o600))
				r, err := syscall.Open(dir+"/other", syscall.O_RDWR, 0)
				must(t, err)
				defer syscall.Close(r)
			}
			must(t, put(service+name))
		}
		for tool, want := range map[string]outcome{
			"svc":    {stderr: "svc: warning: unable to control " + kind + ": not a FIFO\n"},
			"svok":   {stderr: "svok: fatal: unable to open " + kind + "/supervise/ok: not a FIFO\n", code: 111},
			"svstat": {stdout: kind + ": unable to open supervise/ok: not a FIFO\n"},
			"svwait": {stderr: "svwait: fatal: unable to wait for " + kind + ": not a FIFO\n", code: 111},
		} {
			i := invocation{tool: tool, args: []string{kind}, dir: dir}
			if tool == "svc" {
				i.args = []string{"-d", kind}
			}
			if got := runTool(t, i.ours()); got != want {
				t.Errorf("%s: %s: %+v, want %+v", kind, tool, got, want)
			}
		}
		h.Release()
	}
	for _, name := range []string{victim, dir + "/file/supervise/control"} {
		if b, err := os.ReadFile(name); string(b) != "precious" {
			t.Errorf("%s has %q, %v", name, b, err)
		}
	}
}

// TestFullFIFO fills control: svc says so, and does not wait.
func TestFullFIFO(t *testing.T) {
	liveServices = make(map[string]*svdir.Held)
	dir := t.TempDir()
	mkdir(t, dir+"/web")
	h := makeSupervised(t, dir+"/web")
	for err := error(nil); err == nil; {
		_, err = syscall.Write(h.Control(), make([]byte, 4096))
	}
	i := invocation{tool: "svc", args: []string{"-d", "web"}, dir: dir}
	want := outcome{stderr: "svc: warning: error writing commands to web: temporary failure\n"}
	if got := runTool(t, i.ours()); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestForeignLink makes supervise a link to the state of another service, as the
// user of a service can: root's svc does not command that one.
func TestForeignLink(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make files of other users")
	}
	liveServices = make(map[string]*svdir.Held)
	dir := t.TempDir()
	mkdir(t, dir+"/db")
	h := makeSupervised(t, dir+"/db")
	mkdir(t, dir+"/web")
	must(t, os.Symlink("../db/supervise", dir+"/web/supervise"))
	i := invocation{tool: "svc", args: []string{"-d", "web"}, dir: dir}
	send := func() string {
		runTool(t, i.ours())
		var b [8]byte
		n, _ := h.ReadControl(b[:])
		return string(b[:n])
	}
	if got := send(); got != "d" {
		t.Errorf("our own link: %q", got)
	}
	must(t, os.Lchown(dir+"/web/supervise", 12345, 12345))
	if got := send(); got != "" {
		t.Errorf("a link of another user: %q", got)
	}
}

// TestOtherContainer runs the tools in another PID namespace, as in a second
// container with the same service directory: they report where the service is
// supervised, and do not command it.
func TestOtherContainer(t *testing.T) {
	liveServices = make(map[string]*svdir.Held)
	dir := t.TempDir()
	mkdir(t, dir+"/web")
	h := makeSupervised(t, dir+"/web")
	const elsewhere = "supervised in another container\n"
	for tool, want := range map[string]outcome{
		"svc":    {stderr: "svc: warning: unable to control web: " + elsewhere},
		"svok":   {stderr: "svok: web: " + elsewhere, code: 100},
		"svstat": {stdout: "web: " + elsewhere},
		"svwait": {stderr: "svwait: fatal: unable to wait for web: " + elsewhere, code: 111},
		"sv":     {stdout: "fail: ./web: " + elsewhere, code: 1},
	} {
		i := invocation{tool: tool, args: []string{"web"}, dir: dir}
		switch tool {
		case "svc":
			i.args = []string{"-k", "web"}
		case "sv":
			i.args = []string{"kill", "./web"}
		}
		cmd := i.ours()
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
		if os.Geteuid() != 0 {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
		}
		if got := runTool(t, cmd); got != want {
			t.Errorf("%s: %+v, want %+v", tool, got, want)
		}
	}
	var b [8]byte
	if n, err := h.ReadControl(b[:]); n != 0 || err != nil {
		t.Errorf("commanded: %q, %v", b[:n], err)
	}
}
