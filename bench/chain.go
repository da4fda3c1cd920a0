package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// measureChain: chains of tools that each become the next, from the exec of the
// first to the exit of a static program that does nothing, which is the last.
// "apart" is ours with two binaries turn about, so that every link is a start
// of its own: what it takes above the noop, by link, is the Go runtime's start
// and little else, as "start" shows, which prints a version.
func measureChain(b *bench) *section {
	all := b.present(svinit, daemontools, runit)
	s := &section{title: "chain: setuidgid nobody softlimit -o 1000 envdir ./env noop, exec to exit, ms"}
	s.columns = titles(all)
	if b.svinit != "" {
		s.columns = append(s.columns, "apart", "start")
	}
	s.columns = append(s.columns, "noop")
	env, tools, err := b.chainWorld()
	if err != nil {
		s.note("%v", err)
		return s
	}
	noop := b.tool("noop")
	for _, links := range []int{1, 2, 3} {
		t := newTally()
		who := []string{"noop"}
		args := []string{fmt.Sprint(b.times(400, 60)), noop}
		for _, name := range s.columns {
			var cmd []string
			switch name {
			case "svinit":
				cmd = chain(links, env, noop, tools[0], tools[0])
			case "apart":
				cmd = chain(links, env, noop, tools[0], tools[1])
			case "start":
				cmd = []string{b.svinit, "--version"}
			case daemontools.name:
				if path, err := exec.LookPath("setuidgid"); err == nil {
					cmd = chain(links, env, noop, filepath.Dir(path), filepath.Dir(path))
				}
			case runit.name:
				if path, err := exec.LookPath("chpst"); err == nil {
					cmd = append(append([]string{path}, []string{"-u", "nobody", "-o", "1000", "-e", env}[:2*links]...), noop)
				}
			}
			if cmd != nil {
				args, who = append(append(args, "--"), cmd...), append(who, name)
			}
		}
		b.clients(s, t, who, args)
		one := "s"
		if links == 1 {
			one = ""
		}
		r := s.row(fmt.Sprintf("%d link%s", links, one), "%.2f", t, false)
		r.target = "daemontools + 1 ms"
		ours, ok := t.median("svinit")
		if theirs, have := t.median(daemontools.name); ok && have {
			r.mark = verdict(ours <= theirs+1)
		} else if t.failed("svinit") {
			r.mark = miss
		}
	}
	s.note("chpst is one link, whatever it does. Ours are one process; apart they are a start each.")
	return s
}

// chain is the first links of the chain, the tools taken from two directories
// turn about.
func chain(links int, env, noop, first, second string) (cmd []string) {
	for i, link := range [][]string{{"setuidgid", "nobody"}, {"softlimit", "-o", "1000"}, {"envdir", env}}[:links] {
		dir := first
		if i%2 == 1 {
			dir = second
		}
		cmd = append(append(cmd, filepath.Join(dir, link[0])), link[1:]...)
	}
	return append(cmd, noop)
}

// chainWorld makes a directory for envdir, and two with links to svinit and to
// a copy of it. They are on disk, as a container's are, and other users reach
// them.
func (b *bench) chainWorld() (env string, tools [2]string, err error) {
	env = filepath.Join(b.tmp, "env")
	if err = os.MkdirAll(env, 0o755); err != nil {
		return "", tools, err
	}
	for _, name := range []string{"PORT", "HOME", "LANG", "MODE"} {
		if err = os.WriteFile(filepath.Join(env, name), []byte("value\n"), 0o644); err != nil {
			return "", tools, err
		}
	}
	if b.svinit == "" {
		return env, tools, nil
	}
	if err = os.Chmod(b.bin, 0o755); err != nil {
		return "", tools, err
	}
	copied := filepath.Join(b.bin, "svinit-copy")
	data, err := os.ReadFile(b.svinit)
	if err == nil {
		err = os.WriteFile(copied, data, 0o755)
	}
	if err != nil {
		return "", tools, err
	}
	for i, binary := range []string{b.svinit, copied} {
		tools[i] = filepath.Join(b.bin, fmt.Sprint("tools", i))
		if out, err := exec.Command(binary, "--install", tools[i]).CombinedOutput(); err != nil {
			return "", tools, fmt.Errorf("install tools: %w: %s", err, strings.TrimSpace(string(out)))
		}
	}
	return env, tools, nil
}
