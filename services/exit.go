package services

import (
	"strconv"
	"syscall"
	"time"

	"svinit/services/machine"
	"svinit/services/signame"
)

// exitMessage says how a process ended, and after how long.
func exitMessage(ws syscall.WaitStatus, oom bool, lived time.Duration) string {
	s := "died: "
	if ws.Signaled() {
		s += "killed by signal " + signame.Name(ws.Signal())
		if oom {
			s += " (out of memory)"
		}
		if ws.CoreDump() {
			s += " (core dumped)"
		}
	} else {
		s += "exit code " + strconv.Itoa(ws.ExitStatus())
	}
	return s + " after " + roughly(lived)
}

// afterExit says what follows an exit, when these are the effects of the exit.
func (o *owner) afterExit(effects *machine.Effects) string {
	switch {
	case o.State == machine.StateBackoff:
		return "restarting in " + roughly(time.Until(o.NotBefore))
	case effects.Has(machine.LaunchFinish):
		return "running finish"
	case effects.Has(machine.Launch):
		return "restarting"
	case o.State == machine.StateReleased:
		return "letting go of it"
	case o.Want == machine.WantOnce:
		return "not restarting: it was to run once"
	}
	return "not restarting: it is to be down"
}

// roughly formats a duration with few digits.
func roughly(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
