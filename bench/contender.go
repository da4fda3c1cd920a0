package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A contender is a program that supervises a scan directory as PID 1.
type contender struct {
	name  string
	peer  bool     // counts for "best peer"; the C loop does not, it supervises nothing
	needs []string // programs that must be on PATH
	deb   string   // what has them on Debian
	argv  func(*world) []string
	// term commands a restart of the service in dir, as `svc -t` does; nil: cannot.
	term func(b *bench, dir string) []string
	// stat asks for the state of the service in dir; nil: cannot.
	stat func(b *bench, dir string) []string
}

var (
	svinit = contender{
		name: "svinit",
		argv: func(w *world) []string { return []string{w.b.svinit} },
		term: func(b *bench, dir string) []string { return []string{b.svinit, "svc", "-t", dir} },
		stat: func(b *bench, dir string) []string { return []string{b.svinit, "svstat", dir} },
	}
	daemontools = contender{
		name: "daemontools", peer: true, deb: "daemontools",
		needs: []string{"svscan", "supervise", "svc", "svstat"},
		argv:  func(w *world) []string { return []string{"svscan", w.scan()} },
		term:  func(_ *bench, dir string) []string { return []string{"svc", "-t", dir} },
		stat:  func(_ *bench, dir string) []string { return []string{"svstat", dir} },
	}
	runit = contender{
		name: "runit", peer: true, deb: "runit",
		needs: []string{"runsvdir", "runsv", "sv"},
		argv:  func(w *world) []string { return []string{"runsvdir", w.scan()} },
		term:  func(_ *bench, dir string) []string { return []string{"sv", "term", dir} },
		stat:  func(_ *bench, dir string) []string { return []string{"sv", "status", dir} },
	}
	s6 = contender{
		name: "s6", peer: true, deb: "s6",
		needs: []string{"s6-svscan", "s6-supervise", "s6-svc", "s6-svstat", "s6-svscanctl"},
		// Its own default is at most 500 services, too few with loggers.
		argv: func(w *world) []string { return []string{"s6-svscan", "-c", "1200", w.scan()} },
		term: func(_ *bench, dir string) []string { return []string{"s6-svc", "-t", dir} },
		stat: func(_ *bench, dir string) []string { return []string{"s6-svstat", dir} },
	}
	supervisord = contender{
		name: "supervisord", peer: true, deb: "supervisor",
		needs: []string{"supervisord"},
		argv:  func(w *world) []string { return []string{"supervisord", "-n", "-c", w.supervisorConf()} },
	}
	floor = contender{
		name: "C loop",
		argv: func(w *world) []string {
			return []string{w.b.tool("floor"), "services", w.avail(), fmt.Sprint(w.services)}
		},
	}
)

// A plainInit runs one program and reaps: tini and its kind.
type plainInit struct {
	name string
	peer bool
	deb  string
	argv func(b *bench, cmd ...string) []string
}

var inits = []plainInit{
	{"svinit", false, "", func(b *bench, cmd ...string) []string { return append([]string{b.svinit}, cmd...) }},
	{"as tini", false, "", func(b *bench, cmd ...string) []string { return append([]string{b.link, "--"}, cmd...) }},
	{"tini", true, "tini", func(_ *bench, cmd ...string) []string { return append([]string{"tini", "--"}, cmd...) }},
	{"dumb-init", true, "dumb-init", func(_ *bench, cmd ...string) []string { return append([]string{"dumb-init", "-c"}, cmd...) }},
	{"catatonit", true, "catatonit", func(_ *bench, cmd ...string) []string { return append([]string{"catatonit", "--"}, cmd...) }},
	{"C loop", false, "", func(b *bench, cmd ...string) []string { return append([]string{b.tool("floor"), "wait"}, cmd...) }},
}

// plainInits leaves out the inits that are not there.
func (b *bench) plainInits() (here []plainInit) {
	for _, i := range inits {
		ours := !i.peer && i.name != floor.name
		if ours && b.svinit == "" || i.peer && !installed(i.name) {
			continue
		}
		here = append(here, i)
	}
	return here
}

// present leaves out the contenders that are not installed.
func (b *bench) present(all ...contender) []contender {
	var here []contender
	for _, c := range all {
		if (c.name != "svinit" || b.svinit != "") && installed(c.needs...) {
			here = append(here, c)
		}
	}
	return here
}

func installed(programs ...string) bool {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			return false
		}
	}
	return true
}

// missing names the peers that are not there, with the package to install.
func missing() []string {
	var gone []string
	for _, c := range []contender{daemontools, runit, s6, supervisord} {
		if !installed(c.needs...) {
			gone = append(gone, c.name+" (apt-get install "+c.deb+")")
		}
	}
	for _, i := range inits {
		if i.peer && !installed(i.name) {
			gone = append(gone, i.name+" (apt-get install "+i.deb+")")
		}
	}
	return gone
}

// supervisorConf writes the services of w as supervisord wants them told.
func (w *world) supervisorConf() string {
	var conf strings.Builder
	conf.WriteString("[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\n")
	fmt.Fprintf(&conf, "pidfile=%s\nchildlogdir=%s\n", filepath.Join(w.root, "supervisord.pid"), w.root)
	for i := range w.services {
		fmt.Fprintf(&conf, "[program:%s]\ncommand=%s\ndirectory=%s\nautorestart=true\nstdout_logfile=NONE\nstderr_logfile=NONE\n",
			name(i), filepath.Join(w.dir(i), "run"), w.dir(i))
	}
	file := filepath.Join(w.root, "supervisord.conf")
	if err := os.WriteFile(file, []byte(conf.String()), 0o644); err != nil {
		fatal(111, err)
	}
	return file
}
