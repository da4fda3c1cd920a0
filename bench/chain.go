package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// measureChain: chains of tools that each execute the next one, from the exec of
// the first to the exit of noop at the end. svinit runs its tools of a chain in
// one process. In the column "separate" they alternate between two binaries, so
// that each tool is a process start of its own.
func measureChain(b *bench) *section {
	columns := titles(b.present(svinit, old, daemontools, runit))
	if b.svinit != nil {
		columns = append(columns, "separate")
	}
	s := newSection("chain: setuidgid nobody softlimit -o 1000 envdir ./env noop, exec to exit, ms", append(columns, "noop"))
	env, err := b.envDir()
	if err != nil {
		s.note("%v", err)
		return s
	}
	for tools := range 4 {
		clients, err := b.chains(tools, env)
		if err != nil {
			s.note("%v", err)
			return s
		}
		res := newResults()
		b.runClients(s, res, clients)
		if tools == 0 {
			s.row("svinit --version", "%.2f", res, false)
			continue
		}
		r := s.row(fmt.Sprintf("%d of the tools", tools), "%.2f", res, false)
		r.target(res, false, false, "daemontools + 1 ms", func(ours, _ float64) bool {
			theirs, ok := res.median(daemontools.name)
			return ok && ours <= theirs+1
		})
	}
	s.note("chpst of runit is one process with any options. svinit --version shows the start of the binary alone.")
	return s
}

// chains returns the contenders' chains of the first n tools; with n = 0, the
// binary alone.
func (b *bench) chains(n int, env string) ([]client, error) {
	noop := b.helper("noop")
	all := []client{{name: "noop", argv: []string{noop}}}
	var links string // a directory with the tools of svinit
	for _, c := range b.present(svinit, old) {
		if n == 0 {
			all = append(all, client{name: c.name, argv: []string{c.build(b).path, "--version"}})
			continue
		}
		dir, err := installTools(c.build(b).path)
		if err != nil {
			return nil, err
		}
		all = append(all, client{name: c.name, argv: chain(n, env, noop, dir, dir)})
		if c.name == current {
			links = dir
		}
	}
	if n == 0 {
		return all, nil
	}
	if path, err := exec.LookPath("setuidgid"); err == nil {
		all = append(all, client{daemontools.name, true, chain(n, env, noop, filepath.Dir(path), filepath.Dir(path))})
	}
	if installed("chpst") {
		options := []string{"-u", "nobody", "-o", "1000", "-e", env}[:2*n]
		all = append(all, client{runit.name, true, slices.Concat([]string{"chpst"}, options, []string{noop})})
	}
	if links != "" {
		second, err := b.secondBinary()
		if err != nil {
			return nil, err
		}
		all = append(all, client{name: "separate", argv: chain(n, env, noop, links, second)})
	}
	return all, nil
}

// chain returns a chain of the first n tools, alternately from two directories.
func chain(n int, env, noop, first, second string) (cmd []string) {
	for i, tool := range [][]string{{"setuidgid", "nobody"}, {"softlimit", "-o", "1000"}, {"envdir", env}}[:n] {
		dir := first
		if i%2 == 1 {
			dir = second
		}
		cmd = append(append(cmd, filepath.Join(dir, tool[0])), tool[1:]...)
	}
	return append(cmd, noop)
}

// envDir makes a directory for the tool envdir.
func (b *bench) envDir() (string, error) {
	dir := filepath.Join(b.tmp, "env")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"PORT", "HOME", "LANG", "MODE"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("value\n"), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// installTools makes a directory with a link for each tool of a binary, beside
// the binary. It is on disk, and other users than root can read it.
func installTools(binary string) (string, error) {
	dir := binary + "-tools"
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if out, err := exec.Command(binary, "--install", dir).CombinedOutput(); err != nil {
		return "", fmt.Errorf("install tools: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return dir, nil
}

// secondBinary copies svinit once more, and returns the directory of its tools.
func (b *bench) secondBinary() (string, error) {
	file := filepath.Join(b.bin, "svinit-copy")
	if _, err := os.Stat(file); err != nil {
		data, err := os.ReadFile(b.svinit.path)
		if err == nil {
			err = os.WriteFile(file, data, 0o755)
		}
		if err != nil {
			return "", err
		}
	}
	return installTools(file)
}
