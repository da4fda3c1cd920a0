package services

import (
	"math"
	"syscall"
	"time"

	"svinit/services/machine"
	"svinit/services/spec"
	"svinit/services/svdir"
)

// record is all that an owner knows of its service: plain values, which could
// be written down and read back by another process. What only this process can
// have is in handles.
type record struct {
	machine.Machine
	Source   spec.Source
	PIDs     [machine.Roles]int // 0 where no process of the role runs
	Since    time.Time          // when the process of RoleRun last started or ended
	Starts   uint32
	Exits    uint32
	Notifies bool               // the process says when it is ready
	LastExit syscall.WaitStatus // valid when Exits is not 0
	OOMKills uint64             // the out-of-memory counter when it was last read
}

// pid returns the process that is the service, 0 when it does not run.
func (r *record) pid() int { return r.PIDs[machine.RoleRun] }

// wants has the byte of each want in the status.
var wants = [...]svdir.Want{
	machine.WantUp:   svdir.WantUp,
	machine.WantDown: svdir.WantDown,
	machine.WantOnce: svdir.WantOnce,
}

// status returns the record as supervise/status has it.
func (r *record) status() svdir.Status {
	st := svdir.Status{
		Since:    r.Since,
		PID:      r.pid(),
		Paused:   r.Paused && r.pid() != 0,
		Want:     wants[r.Want],
		GotTERM:  r.GotTERM,
		Restarts: max(r.Starts, 1) - 1,
	}
	switch {
	case r.State == machine.StateLaunching, r.State == machine.StateStarting: // nobody can talk to it yet
		st.PID, st.Paused = 0, false
		st.Flags |= svdir.FlagStarting
	case r.State == machine.StateFinishing:
		st.PID, st.State = r.PIDs[machine.RoleFinish], svdir.StateFinish
		st.Flags |= svdir.FlagFinishing
	case r.pid() != 0:
		st.State = svdir.StateRun
	}
	if r.Notifies && st.State == svdir.StateRun {
		st.Flags |= svdir.FlagReadiness
		st.Ready = r.ReadySince
	}
	if r.State == machine.StateReleased {
		st.Flags |= svdir.FlagReleased
	}
	if r.Exits > 0 {
		st.Flags |= svdir.FlagEnded
		st.WaitStatus = uint16(r.LastExit & math.MaxUint16)
	}
	return st
}
