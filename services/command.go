package services

import (
	"svinit/services/machine"
	"svinit/services/svdir"
)

// command returns the event of a byte in supervise/control; ok is false for a
// byte that is no command.
func command(letter byte) (ev machine.Event, ok bool) {
	if c, ok := svdir.CommandOf(letter); ok && c.Signal != 0 {
		return machine.Event{Kind: machine.Signal, Signal: c.Signal, Group: c.Group}, true
	}
	switch letter {
	case svdir.CmdUp:
		ev.Kind = machine.Up
	case svdir.CmdDown:
		ev.Kind = machine.Down
	case svdir.CmdOnce:
		ev.Kind = machine.Once
	case svdir.CmdAtMost:
		ev.Kind = machine.AtMostOnce
	case svdir.CmdExit:
		ev.Kind = machine.Exit
	case svdir.CmdPause:
		ev.Kind = machine.Pause
	case svdir.CmdContinue:
		ev.Kind = machine.Continue
	case svdir.CmdRestart:
		ev.Kind = machine.Restart
	case svdir.CmdReload:
		ev.Kind = machine.Reload
	default:
		return ev, false
	}
	return ev, true
}
