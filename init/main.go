// Package pid1 is svinit as the first process of a container: it supervises
// the services of the scan directory, or, where there are none, is the plain
// init of a main program. (A package in a folder init cannot be imported under
// the name init.)
//
// Its life has three phases. Boot reads the configuration, takes over the
// descriptors and signals, and starts a few goroutines, each of which waits for
// one thing: the reaper for children, the poller for FIFOs and inotify, the
// multiplexer for what services write, the set for the scan directory. Run
// forwards signals to the main program, or obeys them. Stop goes through the
// table of phases in phases.go and returns the exit code.
//
// The main program and its terminal are the business of package foreground, on
// which both are built.
package pid1

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"svinit/init/foreground"
	"svinit/reaper/proc"
	"svinit/services/program"
	"svinit/services/svdir"
	"svinit/services/svlog"
)

// Options is what the command line says, beside the environment. The zero value
// is services without a main program.
type Options struct {
	Command []string // the main program and its arguments

	// These add to the variables SVINIT_ of the same names.
	LeaveOrphans bool
	Group        bool
	ParentDeath  foreground.Signal
	Signals      foreground.SignalMap
	ExitCodes    foreground.ExitCodes
}

// Main supervises the services of the scan directory until a signal stops it or,
// with a command, until that main program ends. It returns the exit code of the
// container. What is wrong before anything has been started is written to
// stderr.
func Main(o Options, stderr *os.File) (code int) {
	// Unlike a Reporter, refuse waits for the reader: nothing else is to be done.
	refuse := func(code int, e svlog.Event) int {
		stderr.Write(e.At(svlog.Fatal).AppendLine(nil, svlog.Prog))
		return code
	}
	if len(o.Command) == 0 && startedByExec() {
		return refuse(program.ExitPermanent, svlog.Event{Text: "unable to supervise: PID 1 is svinit already; try svinit help"})
	}
	fg, err := foreground.New()
	if err != nil {
		return refuse(program.ExitTemporary, svlog.Unable("catch", "signals", err))
	}
	p := plainInit{Init: fg, report: svlog.Direct(svlog.Prog, 2)}
	if p.conf, err = readConfig(); err != nil {
		return refuse(program.ExitPermanent, svlog.Event{Text: "unable to understand " + err.Error()})
	}
	p.conf.add(o)
	gid, err := findGroup(p.conf.ControlGroup)
	if err != nil {
		err = fmt.Errorf("unable to understand SVINIT_CONTROL_GROUP=%q: %w", p.conf.ControlGroup, err)
		return refuse(program.ExitPermanent, svlog.Event{Text: err.Error()})
	}
	mainProgram := len(o.Command) > 0
	switch {
	case p.conf.ServiceDir == "" && !mainProgram:
		return refuse(program.ExitPermanent, svlog.Event{Text: "nothing to do: SVINIT_SERVICE_DIR is empty, and there is no main program"})
	case p.conf.ServiceDir == "" || mainProgram && p.scanDirectoryMissing():
		code, err = p.run(p.options(o.Command))
	default:
		s := supervisor{plainInit: p}
		if s.clients, err = svdir.ClaimScanDir(p.conf.ServiceDir); err != nil {
			err = fmt.Errorf("unable to supervise: %w already; svc, sv and svstat work with it", err)
			return refuse(program.ExitTemporary, svlog.Event{Text: err.Error()})
		}
		code, err = s.run(o.Command, gid)
	}
	if err != nil {
		return refuse(code, svlog.Event{Text: err.Error()})
	}
	return code
}

// startedByExec reports whether svinit was typed into docker exec where PID 1 is
// svinit already, by somebody who wants to see what it is: our parent process is
// outside of this PID namespace.
func startedByExec() bool {
	if os.Getppid() != 0 || os.Getpid() == 1 {
		return false
	}
	return proc.Name(1) == "svinit"
}

// scanDirectoryMissing reports whether there is no scan directory, which is
// worth a warning only if it is not the default one: then svinit is a plain
// init.
func (p *plainInit) scanDirectoryMissing() bool {
	dir := p.conf.ServiceDir
	if unix.Access(dir, unix.F_OK) != unix.ENOENT {
		return false
	}
	if dir != svdir.ScanDir {
		p.report(svlog.Unable("read", dir, errors.New("no such directory, so there are no services")))
	}
	return true
}
