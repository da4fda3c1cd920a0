package svdir

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/status from the real supervisors")

// A capture brings a service under a real supervisor into a state whose record
// is then looked at.
type capture struct {
	name     string // of the golden record; the program comes first
	files    map[string]string
	commands string // written to control when the service runs
	want     Status // Since and the number of PID are of the moment
	stat     string // runsv's file stat
}

const (
	sleeper  = "#!/bin/sh\nexec sleep 1000\n"
	stubborn = "#!/bin/sh\ntrap '' TERM\nexec sleep 1000\n"
)

var captures = []capture{
	{name: "supervise-up", files: service(sleeper),
		want: Status{PID: 1, Want: WantUp, State: StateRun}},
	{name: "supervise-down-file", files: service(sleeper, "down", ""),
		want: Status{Want: WantDown}},
	{name: "supervise-paused", files: service(sleeper), commands: "p",
		want: Status{PID: 1, Paused: true, Want: WantUp, State: StateRun}},
	{name: "supervise-once", files: service(sleeper), commands: "o",
		want: Status{PID: 1, Want: WantOnce, State: StateRun}},
	{name: "supervise-stopped", files: service(sleeper), commands: "d",
		want: Status{Want: WantDown}},
	{name: "supervise-stopping", files: service(stubborn), commands: "d",
		want: Status{PID: 1, Want: WantDown, State: StateRun}},
	{name: "runsv-run", files: service(sleeper), stat: "run\n",
		want: Status{PID: 1, Want: WantUp, State: StateRun}},
	{name: "runsv-down-file", files: service(sleeper, "down", ""), stat: "down\n",
		want: Status{Want: WantDown}},
	{name: "runsv-paused", files: service(sleeper), commands: "p", stat: "run, paused\n",
		want: Status{PID: 1, Paused: true, Want: WantUp, State: StateRun}},
	{name: "runsv-once", files: service(sleeper), commands: "o", stat: "run, want down\n",
		want: Status{PID: 1, Want: WantDown, State: StateRun}},
	{name: "runsv-stopped", files: service(sleeper), commands: "d", stat: "down\n",
		want: Status{Want: WantDown}},
	{name: "runsv-stopping", files: service(stubborn), commands: "d", stat: "run, got TERM, want down\n",
		want: Status{PID: 1, Want: WantDown, GotTERM: true, State: StateRun}},
	{name: "runsv-finish", files: service(sleeper, "finish", sleeper), commands: "t", stat: "finish\n",
		want: Status{PID: 1, Want: WantUp, State: StateFinish}},
}

func service(run string, more ...string) map[string]string {
	files := map[string]string{"run": run}
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	return files
}

func (c capture) program() string { return c.name[:strings.IndexByte(c.name, '-')] }

func (c capture) size() int {
	if c.program() == "runsv" {
		return runitSize
	}
	return statusMin
}

func (c capture) matches(s Status) bool {
	s.Since = c.want.Since
	if s.PID != 0 {
		s.PID = 1
	}
	return s == c.want
}

func (c capture) check(t *testing.T, s Status) {
	t.Helper()
	if !c.matches(s) {
		t.Errorf("status %+v, want %+v", s, c.want)
	}
	if c.stat != "" {
		// What runit says in words, we say in the same words.
		if got := string(s.appendStat(nil)); got != c.stat {
			t.Errorf("stat %q, want %q", got, c.stat)
		}
	}
}

// TestCapture brings the real supervisors into every state again and compares
// with the golden records everything but the time and the number of the pid.
func TestCapture(t *testing.T) {
	packages := map[string]string{"supervise": "daemontools", "runsv": "runit"}
	for _, c := range captures {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(c.program()); err != nil {
				t.Skipf("%s is missing: apt-get install %s", c.program(), packages[c.program()])
			}
			state := c.supervise(t)
			b, err := os.ReadFile(state + "/status")
			if err != nil {
				t.Fatal(err)
			}
			if c.stat != "" {
				await(t, "runsv's stat "+c.stat, func() bool {
					stat, _ := os.ReadFile(state + "/stat")
					return string(stat) == c.stat
				})
			}
			name := filepath.Join(golden, c.name+".bin")
			if *update {
				if err := os.WriteFile(name, b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(shape(b), shape(want)) {
				t.Errorf("record\n%x\nwant the shape of\n%x", b, want)
			}
			if c.program() == "runsv" {
				s, _ := ParseStatus(b)
				if pid, err := os.ReadFile(state + "/pid"); err != nil || string(pid) != string(s.appendPID(nil)) {
					t.Errorf("pid %q, %v, want %q", pid, err, s.appendPID(nil))
				}
			}
		})
	}
}

// shape is a record without the time and the number of the pid.
func shape(b []byte) []byte {
	if len(b) < statusMin {
		return b
	}
	up := byte(0)
	if !bytes.Equal(b[12:16], make([]byte, 4)) {
		up = 1
	}
	return append([]byte{b[0], up}, b[16:]...)
}

// supervise starts the real supervisor, waits until its record is the one that
// is wanted, and returns its state directory.
func (c capture) supervise(t *testing.T) (state string) {
	dir := t.TempDir()
	state = dir + "/supervise"
	for name, content := range c.files {
		write(t, filepath.Join(dir, name), content)
	}
	// Wait must not hang on a service that outlives its supervisor.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cmd := exec.CommandContext(ctx, c.program(), dir)
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		defer cancel()
		// C for those that are paused; runsv starts finish anew after k.
		os.Remove(dir + "/finish")
		Send(state, []byte("dckx"))
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Errorf("%s does not end", c.name)
			cmd.Process.Kill()
			if s, err := ReadStatus(state); err == nil && s.PID != 0 {
				syscall.Kill(s.PID, syscall.SIGKILL)
			}
		}
	})
	_, down := c.files["down"]
	await(t, c.program()+" to run the service", func() bool {
		s, err := ReadStatus(state)
		return Listening(state) && err == nil && (s.PID != 0) == !down && execed(s.PID)
	})
	if c.commands != "" {
		if err := Send(state, []byte(c.commands)); err != nil {
			t.Fatal(err)
		}
	}
	var last Status
	await(t, "the status "+c.name, func() bool {
		last, _ = ReadStatus(state)
		return c.matches(last)
	})
	return state
}

// execed reports whether the shell of ./run has become sleep: only then is a
// trap in force.
func execed(pid int) bool {
	if pid == 0 {
		return true
	}
	b, _ := os.ReadFile("/proc/" + itoa(pid) + "/comm")
	return string(b) == "sleep\n"
}
