package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A client is a short program, measured from its exec to its exit.
type client struct {
	name string
	peer bool
	argv []string
}

// measureSvstat: clients that read the state of a service, each of a service of
// its own supervisor, beside static programs that do nothing,
// one in C and one in Go.
func measureSvstat(b *bench) *section {
	all := b.present(svinit, old, daemontools, runit, s6)
	s := newSection("svstat: clients, exec to exit, ms (svstat, sv status, s6-svstat; svok, s6-svok)", append(titles(all), "Go noop", "noop"))
	state, ok := newResults(), newResults()
	noop := client{name: "noop", argv: []string{b.helper("noop")}}
	states, oks := []client{noop}, []client{noop}
	if path, err := b.goNoop(); err != nil {
		s.note("%v", err)
	} else {
		states, oks = append(states, client{name: "Go noop", argv: []string{path}}), append(oks, client{name: "Go noop", argv: []string{path}})
	}
	for _, c := range all {
		box, err := b.running(c, layout{services: 1})
		if err != nil {
			state.fail(c.name, err.Error())
			ok.fail(c.name, "-")
			continue
		}
		defer box.close()
		states = append(states, client{c.name, c.peer, c.stat(b, box.dir(0))})
		if c.ok != nil {
			oks = append(oks, client{c.name, c.peer, c.ok(b, box.dir(0))})
		}
	}
	time.Sleep(minUptime) // a supervisor may not read commands in its first second
	b.runClients(s, state, states)
	b.runClients(s, ok, oks)
	for _, row := range []struct {
		name string
		res  *results
	}{{"svstat", state}, {"svok", ok}} {
		noop, _ := row.res.median("noop")
		s.row(row.name, "%.2f", row.res, false).
			target(row.res, false, true, "noop + 1.5 ms", func(ours, _ float64) bool { return ours <= noop+1.5 })
	}
	return s
}

// goNoop builds an empty Go program with the linker flags of svinit, beside the
// copies of svinit.
func (b *bench) goNoop() (string, error) {
	source := filepath.Join(b.bin, "noop.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		return "", err
	}
	path := filepath.Join(b.bin, "noop")
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build an empty Go program: %w: %s", err, out)
	}
	return path, nil
}

// runClients runs all clients in turn by the helper timing, and adds their times
// to res.
func (b *bench) runClients(s *section, res *results, clients []client) {
	args := []string{fmt.Sprint(b.times(400, 60))}
	var measured []client
	for _, c := range clients {
		path, err := exec.LookPath(c.argv[0])
		if err != nil {
			res.fail(c.name, err.Error())
			continue
		}
		if len(measured) > 0 {
			args = append(args, "--")
		}
		args = append(append(args, path), c.argv[1:]...)
		measured = append(measured, c)
	}
	cmd := exec.Command(b.helper("timing"), args...)
	cmd.Env = environment
	timer := time.AfterFunc(2*stepTimeout, func() { cmd.Process.Kill() })
	out, err := cmd.Output()
	timer.Stop()
	if err != nil {
		s.note("run the clients: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		var i, ns, status int
		if n, _ := fmt.Sscan(line, &i, &ns, &status); n != 3 || i >= len(measured) {
			continue
		}
		c := measured[i]
		res.add(c.name, c.peer, float64(ns)/1e6)
		if status != 0 {
			res.fail(c.name, fmt.Sprintf("wait status %d", status))
		}
	}
}
