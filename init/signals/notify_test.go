//go:build !amd64 && !arm64

package signals

import (
	"os/exec"
	"syscall"
	"testing"
)

// These run with GOARCH=386 go test, on any amd64 machine.
var programs = map[string]func(){
	"report": func() {
		l := mustListen()
		cat := exec.Command("cat", "/proc/self/status")
		out, err := cat.Output()
		tell("%v %v", sets(string(out)), err)
		if _, err := Listen(); err != nil {
			tell("%v", err)
		}
		report(l)
	},
	"few": func() {
		l := mustListen(syscall.SIGTERM)
		tell("HUP ignored: %v", l.Ignored(syscall.SIGHUP))
		report(l)
	},
}

func queue(pid int, sig syscall.Signal) error { return syscall.Kill(pid, sig) }

func TestEvery(t *testing.T) {
	p := start(t, "report", ignoring)
	p.expect("[SigPnd: 0000000000000000 SigBlk: 0000000000000000 SigIgn: 0000000000000000 SigCgt: 0000000000000000] <nil>")
	p.expect("this process listens already")
	catchable(func(sig syscall.Signal) {
		switch sig {
		case syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPIPE, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGPROF, 32, 33, 34:
			return // a signal that the fall-back does not catch, or that report leaves out
		}
		p.send(sig)
		p.expect("%d code %d pid 0 uid 0", sig, Unknown)
	})
}

func TestFew(t *testing.T) {
	p := start(t, "few", ignoring)
	p.expect("HUP ignored: true")
	p.send(syscall.SIGHUP)
	p.send(syscall.SIGTERM)
	p.expect("15 code %d pid 0 uid 0", Unknown)
}
