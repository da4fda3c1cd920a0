package svdir

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func hold(t *testing.T, path string) *Held {
	t.Helper()
	h, err := Hold(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Release)
	return h
}

// announced is a state directory whose supervisor is ready.
func announced(t *testing.T, path string) *Held {
	t.Helper()
	h := hold(t, path)
	if err := h.WriteStatus(Status{Since: time.Now(), Want: WantUp}); err != nil {
		t.Fatal(err)
	}
	if err := h.Announce(); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHoldAnnounceRelease(t *testing.T) {
	path := t.TempDir() + "/supervise"
	if err := ProbeOK(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before Hold: %v", err)
	}
	h := hold(t, path)
	if Listening(path) {
		t.Error("listening before Announce")
	}
	if err := h.Announce(); err != nil {
		t.Fatal(err)
	}
	if err := h.Announce(); err != nil {
		t.Errorf("second Announce: %v", err)
	}
	if !Listening(path) {
		t.Error("not listening after Announce")
	}
	h.Release()
	h.Release()
	if err := ProbeOK(path); err != ErrNotRunning {
		t.Errorf("after Release: %v", err)
	}
	if err := Send(path, []byte("u")); err != ErrNotRunning {
		t.Errorf("Send after Release: %v", err)
	}
	for name, mode := range map[string]fs.FileMode{
		"":        fs.ModeDir | 0o700,
		"lock":    0o600,
		"ok":      fs.ModeNamedPipe | 0o600,
		"control": fs.ModeNamedPipe | 0o600,
	} {
		fi, err := os.Stat(path + "/" + name)
		if err != nil || fi.Mode() != mode {
			t.Errorf("%q: %v, %v, want %v", name, fi.Mode(), err, mode)
		}
	}
	// What an earlier supervisor left is taken over.
	announced(t, path)
	if !Listening(path) {
		t.Error("not listening when held again")
	}
}

func TestTwoHolders(t *testing.T) {
	path := t.TempDir() + "/supervise"
	first := announced(t, path)
	if _, err := Hold(path); !errors.Is(err, ErrLocked) {
		t.Fatalf("second Hold: %v", err)
	} else if !strings.Contains(err.Error(), path+"/lock") {
		t.Errorf("error does not name the file: %v", err)
	}
	// The loser must not have disturbed the winner.
	if err := Send(path, []byte("d")); err != nil {
		t.Fatal(err)
	}
	if b := read(t, first); b != "d" {
		t.Errorf("read %q", b)
	}
	first.Release()
	hold(t, path)
}

func TestSend(t *testing.T) {
	path := t.TempDir() + "/supervise"
	h := announced(t, path)
	if b := read(t, h); b != "" {
		t.Errorf("read %q before anything was sent", b)
	}
	for _, s := range []string{"u", "dx", "tcu", ""} {
		if err := Send(path, []byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	if b := read(t, h); b != "udxtcu" {
		t.Errorf("read %q", b)
	}
	// No client is left, and still there is no end of file.
	if b := read(t, h); b != "" {
		t.Errorf("read %q", b)
	}
}

// TestSendFull fills the FIFO: a client does not wait for a supervisor that does
// not read.
func TestSendFull(t *testing.T) {
	path := t.TempDir() + "/supervise"
	h := announced(t, path)
	full := 0
	for {
		n, err := syscall.Write(h.Control(), make([]byte, 1024))
		if err == syscall.EAGAIN {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		full += n
	}
	var p *fs.PathError
	if err := Send(path, []byte("dx")); !errors.As(err, &p) || p.Op != "write" || p.Err != syscall.EAGAIN {
		t.Errorf("full: %v", err)
	}
	if got := read(t, h); len(got) != full {
		t.Errorf("%d bytes, want %d", len(got), full)
	}
	if err := Send(path, []byte("dx")); err != nil {
		t.Error(err)
	}
	if got := read(t, h); got != "dx" {
		t.Errorf("read %q", got)
	}
}

func TestSendErrors(t *testing.T) {
	dir := t.TempDir()
	var p *fs.PathError
	if err := Send(dir, []byte("u")); !errors.As(err, &p) || p.Op != "open" || p.Err != syscall.ENOENT {
		t.Errorf("no control: %v", err)
	}
	os.Mkdir(dir+"/control", 0o700)
	if err := Send(dir, []byte("u")); !errors.As(err, &p) || p.Op != "open" || p.Err != syscall.EISDIR {
		t.Errorf("directory: %v", err)
	}
	os.Remove(dir + "/control")
	os.Symlink("/dev/full", dir+"/control")
	if err := Send(dir, []byte("u")); err != errNotFIFO {
		t.Errorf("link: %v", err)
	}
	os.Remove(dir + "/control")
	write(t, dir+"/control", "mine")
	if err := Send(dir, []byte("u")); err != errNotFIFO {
		t.Errorf("file: %v", err)
	}
	if b, err := os.ReadFile(dir + "/control"); err != nil || string(b) != "mine" {
		t.Errorf("the file has %q, %v", b, err)
	}
}

// TestGarbage puts other things where the FIFOs should be.
func TestGarbage(t *testing.T) {
	garbage := map[string]func(name string) error{
		"file":          func(name string) error { return os.WriteFile(name, []byte("u"), 0o600) },
		"directory":     func(name string) error { return os.Mkdir(name, 0o700) },
		"dangling link": func(name string) error { return os.Symlink("nowhere/at/all", name) },
		"link loop":     func(name string) error { return os.Symlink(name, name) },
		"socket": func(name string) error {
			l, err := net.Listen("unix", name)
			if err == nil {
				l.(*net.UnixListener).SetUnlinkOnClose(false)
				l.Close()
			}
			return err
		},
	}
	for what, put := range garbage {
		for _, name := range []string{"ok", "control"} {
			t.Run(what+" for "+name, func(t *testing.T) {
				path := t.TempDir() + "/s"
				os.Mkdir(path, 0o700)
				if err := put(path + "/" + name); err != nil {
					t.Fatal(err)
				}
				h := announced(t, path)
				if !Listening(path) {
					t.Error("not listening")
				}
				if err := Send(path, []byte("d")); err != nil {
					t.Error(err)
				}
				if b := read(t, h); b != "d" {
					t.Errorf("read %q", b)
				}
			})
		}
	}
	t.Run("full directory for control", func(t *testing.T) {
		path := t.TempDir()
		os.MkdirAll(path+"/control/mine", 0o700)
		if h, err := Hold(path); err == nil {
			h.Release()
			t.Error("held")
		} else if !strings.Contains(err.Error(), path+"/control") {
			t.Errorf("error does not name the file: %v", err)
		}
		hold(t, t.TempDir()) // and no descriptor or lock is left in the way
	})
	t.Run("FIFO for status.new", func(t *testing.T) {
		path := t.TempDir()
		h := hold(t, path)
		if err := syscall.Mkfifo(path+"/status.new", 0o600); err != nil {
			t.Fatal(err)
		}
		if err := h.WriteStatus(Status{}); err != nil {
			t.Errorf("WriteStatus: %v", err)
		}
		if fi, err := os.Lstat(path + "/status"); err != nil || !fi.Mode().IsRegular() {
			t.Errorf("status: %v, %v", fi, err)
		}
	})
}

// TestSuperviseLink holds a state directory through links, as Debian's
// supervise and runsv do: the target of a dangling one is made.
func TestSuperviseLink(t *testing.T) {
	for _, target := range []string{"../state", "/state"} {
		dir := t.TempDir()
		os.Mkdir(dir+"/service", 0o755)
		link := target
		if target[0] == '/' {
			link = dir + target
		}
		for _, name := range []string{"supervise", "s"} { // a fallback's name is any
			path := dir + "/service/" + name
			if err := os.Symlink(link, path); err != nil {
				t.Fatal(err)
			}
			h := announced(t, path)
			if fi, err := os.Lstat(dir + "/state"); err != nil || fi.Mode() != fs.ModeDir|0o700 {
				t.Errorf("link to %s: %v, %v", target, fi, err)
			}
			if !Listening(path) {
				t.Errorf("link to %s: not listening", target)
			}
			h.Release()
			os.RemoveAll(dir + "/state")
		}
	}
	dir := t.TempDir()
	os.Symlink("no/such/parent", dir+"/supervise")
	if h, err := Hold(dir + "/supervise"); err == nil {
		h.Release()
		t.Error("held what is not there")
	}
	if h, err := Hold(dir + "/no/supervise"); err == nil {
		h.Release()
		t.Error("made a service directory")
	}
}

func TestWriteStatus(t *testing.T) {
	path := t.TempDir() + "/supervise"
	h := hold(t, path)
	for _, s := range []Status{
		{Since: time.Unix(5, 0), PID: 70, Want: WantUp, State: StateRun},
		{Since: time.Unix(6, 0), PID: 71, Paused: true, Want: WantDown, GotTERM: true, State: StateRun},
		{Since: time.Unix(7, 0), Want: WantDown, Flags: FlagEnded, WaitStatus: 0x0f00, Restarts: 2},
	} {
		if err := h.WriteStatus(s); err != nil {
			t.Fatal(err)
		}
		got, err := ReadStatus(path)
		if err != nil || !equal(got, s) {
			t.Errorf("ReadStatus = %+v, %v, want %+v", got, err, s)
		}
		for name, want := range map[string][]byte{"status": s.Append(nil), "pid": s.appendPID(nil), "stat": s.appendStat(nil)} {
			if b, err := os.ReadFile(path + "/" + name); err != nil || string(b) != string(want) {
				t.Errorf("%s: %q, %v, want %q", name, b, err, want)
			}
			if _, err := os.Lstat(path + "/" + name + ".new"); err == nil {
				t.Errorf("%s.new is left", name)
			}
		}
	}
	os.RemoveAll(path)
	if err := h.WriteStatus(Status{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a directory: %v", err)
	}
}

// read returns what has come into control.
func read(t *testing.T, h *Held) string {
	t.Helper()
	var all []byte
	b := make([]byte, 4096)
	for {
		n, err := h.ReadControl(b)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return string(all)
		}
		all = append(all, b[:n]...)
	}
}
