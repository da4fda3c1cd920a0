// Bench measures svinit beside the installed ones of daemontools, runit, s6,
// supervisord, tini, dumb-init and catatonit, beside a minimal C program, and
// on request beside an older svinit. It prints one table, in which every target
// of the project is marked as passed or missed. README.md in this folder says
// what each number means.
//
// All contenders are measured in one run and take turns: round 1 of each, then
// round 2, so that other load on the machine affects all of them. Each contender
// is PID 1 of a PID namespace of its own, so bench needs root.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A measurement makes one section of the table.
type measurement struct {
	name string
	run  func(*bench) *section
}

var measurements = []measurement{
	{"size", measureSize},
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

// The kernel ties the parent-death signal of the namespaces to the thread that
// made them, not to the process: the main goroutine stays on the main thread.
func init() { runtime.LockOSThread() }

func main() {
	var o options
	only := flag.String("only", "", "measure only these `sections`, separated by commas: "+strings.Join(names(), ","))
	flag.IntVar(&o.rounds, "rounds", 0, "`number` of rounds of every measurement (0: the default of each)")
	flag.BoolVar(&o.quick, "quick", false, "few rounds and small numbers, for a first impression")
	verbose := flag.Bool("v", false, "print the quartiles of every median under its section")
	flag.StringVar(&o.svinit, "svinit", "bin/svinit", "`binary` to measure; if it is missing, only the peers are measured")
	flag.StringVar(&o.old, "old", "", "older svinit `binary` to compare with")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(100)
	}
	chosen, err := choose(*only)
	if err != nil {
		fatal(100, err)
	}
	// A garbage collection in bench would slow down the contender of that moment.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(2 << 30)
	// Contenders and clients must not inherit descriptors of the caller of bench.
	unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)

	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	b, err := open(o)
	if err != nil {
		fatal(111, err)
	}
	go func() {
		<-interrupted
		b.abandon()
		os.Exit(130)
	}()
	b.measure(chosen, *verbose)
	b.close()
}

// measure runs measurements and prints their sections.
func (b *bench) measure(chosen []measurement, verbose bool) {
	begin := time.Now()
	fmt.Println(b.heading())
	missed, slower := 0, 0
	for _, m := range chosen {
		s := m.run(b)
		s.print(os.Stdout, verbose)
		missed += s.count(func(r row) bool { return r.mark == miss })
		slower += s.count(func(r row) bool { return r.worse == worse })
	}
	fmt.Printf("\n%d missed, ", missed)
	if b.old != nil {
		fmt.Printf("%d worse than old by more than %.0f %%, ", slower, 100*tolerance)
	}
	fmt.Printf("%.0f s\n", time.Since(begin).Seconds())
}

// choose returns the measurements that only names, or all if it is empty.
func choose(only string) ([]measurement, error) {
	if only == "" {
		return measurements, nil
	}
	wanted := strings.Split(only, ",")
	for _, name := range wanted {
		if !slices.Contains(names(), name) {
			return nil, fmt.Errorf("measure %q: the sections are %s", name, strings.Join(names(), ","))
		}
	}
	var chosen []measurement
	for _, m := range measurements {
		if slices.Contains(wanted, m.name) {
			chosen = append(chosen, m)
		}
	}
	return chosen, nil
}

func names() []string {
	var all []string
	for _, m := range measurements {
		all = append(all, m.name)
	}
	return all
}

func fatal(code int, err error) {
	fmt.Fprintln(os.Stderr, "bench: fatal: unable to", err)
	os.Exit(code)
}
