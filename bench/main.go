// Bench measures svinit beside what is installed of daemontools, runit, s6,
// supervisord, tini, dumb-init and catatonit, and beside a bare C loop, and
// prints one table with a mark against every target the project has set itself.
// README.md in this folder says what each number means and how to read it.
//
// Everything is measured in one run, turn about: round 1 of every contender,
// then round 2, so that a neighbour's load falls on all of them. Each contender
// is PID 1 of a PID namespace of its own, so bench needs root.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// A measurement makes one section of the table.
type measurement struct {
	name string
	run  func(*bench) *section
}

var measurements = []measurement{
	{"start", measureStart},
	{"restart", measureRestart},
	{"link", measureLink},
	{"stop", measureStop},
	{"orphans", measureOrphans},
	{"plain", measurePlain},
	{"log", measureLog},
	{"multilog", measureMultilog},
	{"lines", measureLines},
	{"tai64n", measureTai64n},
	{"idle", measureIdle},
	{"memory", measureMemory},
	{"svstat", measureSvstat},
	{"chain", measureChain},
}

// The main goroutine keeps the main thread: the parent-death signal of the
// namespaces we make is tied to the thread that made them, not to the process.
func init() { runtime.LockOSThread() }

func main() {
	run := flag.String("run", "", "measure only what matches this `regexp` of: "+names())
	rounds := flag.Int("rounds", 0, "rounds for every measurement (0: each one's own)")
	quick := flag.Bool("quick", false, "few rounds and small numbers: a look, not a verdict")
	verbose := flag.Bool("v", false, "print every median's quartiles under its section")
	svinit := flag.String("svinit", "bin/svinit", "the `binary` to measure; peers alone when it is missing")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(100)
	}
	want, err := regexp.Compile(*run)
	if err != nil {
		fatal(100, fmt.Errorf("understand -run: %w", err))
	}
	// A collection in the harness would fall on whoever is being measured.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(2 << 30)

	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	b, err := open(*svinit, *rounds, *quick)
	if err != nil {
		fatal(111, err)
	}
	go func() {
		<-interrupted
		b.abandon()
		os.Exit(130)
	}()

	begin := time.Now()
	fmt.Println(b.heading())
	missed := 0
	for _, m := range measurements {
		if !want.MatchString(m.name) {
			continue
		}
		s := m.run(b)
		s.print(os.Stdout, *verbose)
		missed += s.missed()
	}
	b.close()
	fmt.Printf("\n%d missed, %.0f s\n", missed, time.Since(begin).Seconds())
}

func names() string {
	var all []string
	for _, m := range measurements {
		all = append(all, m.name)
	}
	return strings.Join(all, " ")
}

func fatal(code int, err error) {
	fmt.Fprintln(os.Stderr, "bench: fatal: unable to", err)
	os.Exit(code)
}
