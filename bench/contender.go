package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// A contender is a program that supervises a scan directory as PID 1.
type contender struct {
	name  string
	peer  bool                // can be the best peer; the C loop cannot, since it does not supervise
	build func(*bench) *build // of svinit: its binary; nil for all others
	needs []string            // programs that must be on PATH
	deb   string              // the Debian package that contains them
	stop  syscall.Signal      // makes it stop its services and exit; 0: no signal does
	argv  func(*sandbox) []string
	// term returns the client that restarts the service in dir, as `svc -t` does; nil: there is none.
	term func(b *bench, dir string) []string
	// stat returns the client that prints the state of the service in dir; nil: there is none.
	stat func(b *bench, dir string) []string
	// ok returns the client that checks for a supervisor of dir; nil: there is none.
	ok func(b *bench, dir string) []string
}

var (
	svinit      = supervisor(current, newBuild)
	old         = supervisor(previous, oldBuild)
	daemontools = contender{
		name: "daemontools", peer: true, deb: "daemontools",
		needs: []string{"svscan", "supervise", "svc", "svstat", "svok"},
		argv:  func(s *sandbox) []string { return []string{"svscan", s.scan()} },
		term:  func(_ *bench, dir string) []string { return []string{"svc", "-t", dir} },
		stat:  func(_ *bench, dir string) []string { return []string{"svstat", dir} },
		ok:    func(_ *bench, dir string) []string { return []string{"svok", dir} },
	}
	runit = contender{
		name: "runit", peer: true, deb: "runit",
		needs: []string{"runsvdir", "runsv", "sv"},
		stop:  syscall.SIGHUP, // on TERM runsvdir exits without a signal to its runsv processes
		argv:  func(s *sandbox) []string { return []string{"runsvdir", s.scan()} },
		term:  func(_ *bench, dir string) []string { return []string{"sv", "term", dir} },
		stat:  func(_ *bench, dir string) []string { return []string{"sv", "status", dir} },
	}
	s6 = contender{
		name: "s6", peer: true, deb: "s6",
		needs: []string{"s6-svscan", "s6-supervise", "s6-svc", "s6-svstat", "s6-svok", "s6-svscanctl"},
		stop:  syscall.SIGTERM,
		// The default limit is 500 services, too few for services with loggers.
		argv: func(s *sandbox) []string { return []string{"s6-svscan", "-c", "1200", s.scan()} },
		term: func(_ *bench, dir string) []string { return []string{"s6-svc", "-t", dir} },
		stat: func(_ *bench, dir string) []string { return []string{"s6-svstat", dir} },
		ok:   func(_ *bench, dir string) []string { return []string{"s6-svok", dir} },
	}
	supervisord = contender{
		name: "supervisord", peer: true, deb: "supervisor",
		needs: []string{"supervisord"},
		stop:  syscall.SIGTERM,
		argv:  func(s *sandbox) []string { return []string{"supervisord", "-n", "-c", s.supervisorConf()} },
	}
	baseline = contender{
		name: "C loop",
		stop: syscall.SIGTERM,
		argv: func(s *sandbox) []string {
			return []string{s.b.helper("baseline"), "services", s.avail(), fmt.Sprint(s.services)}
		},
	}
)

// supervisor is the contender that a build of svinit is.
func supervisor(name string, of func(*bench) *build) contender {
	client := func(tool ...string) func(*bench, string) []string {
		return func(b *bench, dir string) []string {
			return slices.Concat([]string{of(b).path}, tool, []string{dir})
		}
	}
	return contender{
		name: name, build: of, stop: syscall.SIGTERM,
		argv: func(s *sandbox) []string { return []string{of(s.b).path} },
		term: client("svc", "-t"), stat: client("svstat"), ok: client("svok"),
	}
}

// present returns those contenders that can be measured.
func (b *bench) present(all ...contender) []contender {
	return slices.DeleteFunc(all, func(c contender) bool {
		return c.build != nil && c.build(b) == nil || !installed(c.needs...)
	})
}

func installed(programs ...string) bool {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			return false
		}
	}
	return true
}

// missing lists the peers that are not installed, with the package to install.
func missing() (peers []string) {
	for _, c := range []contender{daemontools, runit, s6, supervisord} {
		if !installed(c.needs...) {
			peers = append(peers, c.name+" (apt-get install "+c.deb+")")
		}
	}
	for _, i := range plainInits {
		if i.peer && !installed(i.name) {
			peers = append(peers, i.name+" (apt-get install "+i.name+")")
		}
	}
	return peers
}

// inTurn returns the contenders of a round: odd rounds have them in reverse, so
// that none is always measured after the same one.
func inTurn[T any](all []T, round int) []T {
	all = slices.Clone(all)
	if round%2 == 1 {
		slices.Reverse(all)
	}
	return all
}

// titles are the names of contenders, as columns of a section.
func titles(all []contender) (names []string) {
	for _, c := range all {
		names = append(names, c.name)
	}
	return names
}

// supervisorConf writes a configuration of supervisord with all services of s.
func (s *sandbox) supervisorConf() string {
	var conf strings.Builder
	conf.WriteString("[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\n")
	fmt.Fprintf(&conf, "pidfile=%s\nchildlogdir=%s\n", filepath.Join(s.root, "supervisord.pid"), s.root)
	for i := range s.services {
		fmt.Fprintf(&conf, "[program:%s]\ncommand=%s\ndirectory=%s\nautorestart=true\nstdout_logfile=NONE\nstderr_logfile=NONE\n",
			name(i), filepath.Join(s.dir(i), "run"), s.dir(i))
	}
	file := filepath.Join(s.root, "supervisord.conf")
	if err := os.WriteFile(file, []byte(conf.String()), 0o644); err != nil {
		fatal(111, err)
	}
	return file
}
