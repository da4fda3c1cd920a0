//go:build amd64 || arm64

package spawn

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"svinit/reaper/procattr"
)

// show runs a shell command with changes, and returns what it wrote, what was
// refused and the outcome.
func show(t testing.TB, script string, sys *syscall.SysProcAttr, extra *procattr.Extra) (text string, refused []*procattr.Error, outcome error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	attr := &syscall.ProcAttr{Env: []string{"PATH=/bin:/usr/bin"}, Files: []uintptr{0, w.Fd(), 2}, Sys: sys, Dir: "/"}
	p, err := Start("/bin/sh", []string{"sh", "-c", script}, attr, extra, false)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	for known := false; !known; {
		if outcome, known = p.Outcome(); !known {
			unix.Poll([]unix.PollFd{{Fd: int32(p.Fd()), Events: unix.POLLIN}}, 20_000)
		}
	}
	refused = p.Refused()
	p.Close()
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if ws := wait(t, p.PID); outcome != nil && ws.ExitStatus() != 127 {
		t.Errorf("status %#x after %v", ws, outcome)
	}
	return string(out), refused, outcome
}

func ptr[T any](v T) *T { return &v }

// needRoot skips a test that changes the user.
func needRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

const status = `umask; nice; cat /proc/self/oom_score_adj; ulimit -Sn; ulimit -Hn; grep -E '^(Uid|Gid|Groups|NoNewPrivs):' /proc/self/status; pwd`

// Each change is made in the child and in no other process.
func TestChanges(t *testing.T) {
	var hard unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &hard)
	before, _, _ := show(t, status, nil, nil)
	each(t, func(t *testing.T) {
		own, _ := os.ReadFile("/proc/self/oom_score_adj")
		text, refused, err := show(t, status, nil, &procattr.Extra{
			Umask: ptr(uint32(0o27)), Nice: ptr(7), OOMScoreAdj: ptr(700), NoNewPrivs: true, Dir: "usr",
			Limits: []procattr.Limit{{Resource: unix.RLIMIT_NOFILE, Soft: 77, Max: hard.Max}},
		})
		if err != nil || len(refused) > 0 {
			t.Fatalf("%v, %v", err, refused)
		}
		ids := "Uid:" + strings.Repeat(fmt.Sprintf("\t%d", os.Getuid()), 4)
		want := fmt.Sprintf("0027\n7\n700\n77\n%d\n", hard.Max)
		if !strings.HasPrefix(text, want) || !strings.Contains(text, ids) || !strings.HasSuffix(text, "NoNewPrivs:\t1\n/usr\n") {
			t.Errorf("%s", text)
		}
		if now, _ := os.ReadFile("/proc/self/oom_score_adj"); string(now) != string(own) {
			t.Errorf("our own score was %s and is %s", own, now)
		}
		if after, _, _ := show(t, status, nil, nil); after != before {
			t.Errorf("another child:\n%s\nbefore:\n%s", after, before)
		}
	})
}

// The user changes in the child alone, and our memory stays dumpable, without
// which nobody can open /proc/1/fd/1.
func TestIdentity(t *testing.T) {
	needRoot(t)
	const ids = `grep -E '^(Uid|Gid|Groups|Cap...):' /proc/self/status`
	for _, c := range []struct {
		credential *syscall.Credential
		set        *uint64
		want       string
	}{
		{&syscall.Credential{Uid: 33, Gid: 34, Groups: []uint32{50, 34}}, nil, "Uid:\t33\t33\t33\t33\nGid:\t34\t34\t34\t34\nGroups:\t34 50 \nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"},
		{&syscall.Credential{Uid: 33, Gid: 34}, ptr[uint64](1 << unix.CAP_NET_BIND_SERVICE), "Uid:\t33\t33\t33\t33\nGid:\t34\t34\t34\t34\nGroups:\t \nCapInh:\t0000000000000400\nCapPrm:\t0000000000000400\nCapEff:\t0000000000000400\nCapBnd:\t0000000000000400\nCapAmb:\t0000000000000400\n"},
		{nil, ptr[uint64](1 << unix.CAP_NET_BIND_SERVICE), "CapInh:\t0000000000000000\nCapPrm:\t0000000000000400\nCapEff:\t0000000000000400\nCapBnd:\t0000000000000400\nCapAmb:\t0000000000000000\n"},
		{nil, ptr[uint64](0), "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"},
	} {
		text, _, err := show(t, ids, &syscall.SysProcAttr{Credential: c.credential}, &procattr.Extra{Capabilities: c.set})
		if err != nil || !strings.Contains(text, c.want) {
			t.Errorf("%v\n%s\nwant\n%s", err, text, c.want)
		}
		if d, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); d != 1 {
			t.Errorf("our own memory: dumpable %d, %v", d, err)
		}
	}
}

// A refusal of what a process can run without is reported, and one that would give
// it the wrong rights or place ends it.
func TestRefused(t *testing.T) {
	needRoot(t)
	for _, c := range []struct {
		extra procattr.Extra
		sys   syscall.SysProcAttr
		step  procattr.Step
		errno syscall.Errno
	}{
		{procattr.Extra{Dir: "/nonexistent"}, syscall.SysProcAttr{}, procattr.Dir, unix.ENOENT},
		{procattr.Extra{Capabilities: ptr(^uint64(0))}, syscall.SysProcAttr{}, procattr.Capabilities, unix.EPERM},
		{procattr.Extra{}, syscall.SysProcAttr{Credential: &syscall.Credential{Groups: []uint32{^uint32(0)}}}, procattr.Identity, unix.EINVAL},
	} {
		_, _, err := show(t, "echo runs", &c.sys, &c.extra)
		var failed *procattr.Error
		if c.step == procattr.Capabilities && err == nil {
			continue // we have all that there are
		}
		if !errors.As(err, &failed) || failed.Step != c.step || failed.Errno != c.errno {
			t.Errorf("%v, want %v in step %d", err, c.errno, c.step)
		}
	}
	text, refused, err := show(t, "echo runs", nil, &procattr.Extra{
		Nice: ptr(3), Limits: []procattr.Limit{{Resource: unix.RLIMIT_NOFILE, Soft: 10, Max: 20}, {Resource: 99, Soft: 1, Max: 1}, {Resource: unix.RLIMIT_CORE, Soft: 2, Max: 1}},
	})
	if err != nil || text != "runs\n" || len(refused) != 2 || refused[0].Step != procattr.Limits || refused[0].Index != 1 || refused[1].Index != 2 || refused[0].Errno != unix.EINVAL {
		t.Errorf("%v, %q, %+v", err, text, refused)
	}
	for _, id := range []syscall.Credential{{Uid: ^uint32(0)}, {Gid: ^uint32(0)}} { // it would change nothing
		if _, err := Start("/bin/true", []string{"true"}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Credential: &id}}, nil, false); err != unix.EINVAL {
			t.Errorf("%+v: %v", id, err)
		}
	}
}
