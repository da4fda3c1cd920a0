package foreground

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"svinit/services/signame"
	"svinit/services/svlog"
)

// Options say how a main program is run and which process gets which signal.
type Options struct {
	// Command is the main program and its arguments, argv[0] first. Without one
	// orphans are reaped until one of StopSignals arrives.
	Command []string
	// StopSignals end [Init.Wait], with exit code 0, where there is no Command.
	StopSignals []syscall.Signal

	// Unstoppable are signals that end [Init.Wait] in PID 1 if they cannot be sent
	// to the main program for lack of permission. Nothing but the end of PID 1 can
	// end it then, by SIGKILL, and the exit code says so.
	Unstoppable []syscall.Signal

	// Session starts the main program in a session of its own, with the terminal
	// where this process leads the terminal's session.
	Session bool
	// SameGroup leaves the main program in our process group, and the terminal
	// as it is. It prevails over Session.
	SameGroup bool
	// Group forwards signals to the process group of the main program instead
	// of the main program alone.
	Group bool
	// Signals has what the main program is sent in place of a signal, 0 for
	// nothing. A signal that is not in it is forwarded as it is. Without a
	// Command it says which signals count as one of StopSignals.
	Signals SignalMap
	// StopToo stops this process as well at TSTP, TTIN and TTOU, after they have
	// been forwarded, until CONT arrives. The kernel ignores that for PID 1.
	StopToo bool
	// DefaultSignals gives the main program an empty signal mask, and default
	// actions for all but the real-time signals, whatever this process was given.
	// dumb-init does that.
	DefaultSignals bool
	// LastSignal, unless it is 0, is sent to the process group of the main
	// program when the main program has ended. It needs Group.
	LastSignal syscall.Signal

	// ParentDeath, unless it is 0, is acted on as if it had arrived when our
	// parent process exits.
	ParentDeath syscall.Signal
	// Pdeathsig, unless it is 0, is sent to this process by the kernel when our
	// parent exits (PR_SET_PDEATHSIG in prctl(2)): KILL then kills this process.
	Pdeathsig syscall.Signal

	// ExitCodes has our exit codes for those of the main program that differ.
	ExitCodes ExitCodes

	// OnEvent is called for each event, from more than one goroutine. It must
	// not block. May be nil.
	OnEvent func(Event)
	// Report takes warnings: what could not be done and does not keep the main
	// program from running. May be nil.
	Report svlog.Reporter
}

// report reports a warning.
func (o *Options) report(e svlog.Event) {
	if o.Report != nil {
		o.Report(e)
	}
}

// SignalMap says what a signal becomes for the main program, 0 for nothing.
type SignalMap map[syscall.Signal]syscall.Signal

// Translate returns what a signal becomes, 0 for nothing.
func (m SignalMap) Translate(sig syscall.Signal) syscall.Signal {
	if to, ok := m[sig]; ok {
		return to
	}
	return sig
}

// Decode adds pairs such as TERM=QUIT,HUP= or, as dumb-init has them, 15:3,1:0.
// The error says what is wrong with the text. (SignalMap is an
// envconfig.Decoder.)
func (m *SignalMap) Decode(text string) error {
	if *m == nil {
		*m = make(SignalMap)
	}
	for pair := range strings.SplitSeq(text, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		from, to, ok := strings.Cut(pair, "=")
		if !ok {
			from, to, ok = strings.Cut(pair, ":")
		}
		if !ok {
			return fmt.Errorf("%q is not of the form TERM=QUIT", pair)
		}
		f, err := signame.Parse(from)
		if err != nil {
			return err
		}
		var t syscall.Signal
		if to = strings.TrimSpace(to); to != "" && to != "0" {
			if t, err = signame.Parse(to); err != nil {
				return err
			}
		}
		(*m)[f] = t
	}
	return nil
}

// ExitCodes says what an exit code of the main program becomes.
type ExitCodes map[int]int

// Decode adds pairs such as 143=0,3=7; 143 is the same as 143=0. The error says
// what is wrong with the text. (ExitCodes is an envconfig.Decoder.)
func (m *ExitCodes) Decode(text string) error {
	if *m == nil {
		*m = make(ExitCodes)
	}
	for pair := range strings.SplitSeq(text, ",") {
		from, to, given := strings.Cut(pair, "=")
		f, err := strconv.ParseUint(strings.TrimSpace(from), 10, 8)
		t := uint64(0)
		if err == nil && given {
			t, err = strconv.ParseUint(strings.TrimSpace(to), 10, 8)
		}
		if err != nil {
			return fmt.Errorf("%q is not of the form 143=0, exit codes from 0 to 255", pair)
		}
		(*m)[int(f)] = int(t)
	}
	return nil
}

// Signal is a signal such as TERM, 0 for none.
type Signal syscall.Signal

// Decode reads a signal: TERM, SIGTERM, term, 15 or RTMIN+3. (Signal is an
// envconfig.Decoder.)
func (s *Signal) Decode(text string) error {
	sig, err := signame.Parse(text)
	*s = Signal(sig)
	return err
}
