package machine

import (
	"fmt"
	"syscall"
)

// EffectKind says what the owner of a service has to do after a step.
type EffectKind uint8

// The kinds of effects.
const (
	Send             EffectKind = iota // send Effect.Signal, to the process group with Effect.Group
	RunControl                         // run control/LETTER, if it is there, after what was sent before
	CloseInput                         // close the write end of the pipe that a logger reads
	SaveStatus                         // write the status
	ReportKill                         // report that the service did not stop in time
	ReportImpossible                   // report an event that this state cannot have
	CancelLaunch                       // make no process, if that is still possible
	Launch                             // make the process; Started or StartFailed follows
	LaunchFinish                       // run finish; Finished or FinishFailed follows
	KillFinish                         // kill it, with its process group
	ReportGiveUp                       // report that finish has given the service up
	ReportReady                        // report to the set that the service is ready
	effectKinds
)

func (k EffectKind) String() string {
	if k >= effectKinds {
		return fmt.Sprintf("effect %d", uint8(k))
	}
	return [effectKinds]string{"send", "run control", "close input", "save status", "report kill", "report impossible", "cancel launch", "launch",
		"launch finish", "kill finish", "report give up", "report ready"}[k]
}

// Effect is one thing that the owner has to do.
type Effect struct {
	Kind   EffectKind
	Group  bool
	Letter byte // Send, RunControl: the executable in control; 0 for none
	signal uint8
}

// Signal returns the signal of Send.
func (e Effect) Signal() syscall.Signal { return syscall.Signal(e.signal) }

// maxEffects is how many effects one step can have. TestMachineAtRandom fails
// where a step needs more.
const maxEffects = 8

// Effects is what the owner has to do after a step, in this order.
type Effects struct {
	list [maxEffects]Effect
	n    uint8
}

// All returns the effects in their order.
func (e *Effects) All() []Effect { return e.list[:e.n] }

// Has reports whether an effect of this kind is among them.
func (e *Effects) Has(kind EffectKind) bool {
	for _, x := range e.All() {
		if x.Kind == kind {
			return true
		}
	}
	return false
}

// add appends an effect. All but Send are the same when they are done twice,
// and are kept once.
func (e *Effects) add(x Effect) {
	if x.Kind != Send && e.Has(x.Kind) {
		return
	}
	e.list[e.n] = x
	e.n++
}
