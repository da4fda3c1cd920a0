package services

import (
	"syscall"

	"svinit/services/machine"
	"svinit/services/svdir"
)

// command returns the event of a byte in supervise/control; ok is false for a
// byte that is none.
func command(c byte) (ev machine.Event, ok bool) {
	switch c {
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
	default:
		ev.Kind = machine.Signal
		ev.Signal, ev.Group = signalOf(c)
		return ev, ev.Signal != 0
	}
	return ev, true
}

// signalOf returns the signal that a command byte sends, 0 for none, and
// whether it goes to the process group.
func signalOf(c byte) (sig syscall.Signal, group bool) {
	switch c {
	case svdir.CmdHangup, svdir.CmdReload:
		return syscall.SIGHUP, false
	case svdir.CmdAlarm:
		return syscall.SIGALRM, false
	case svdir.CmdInterrupt:
		return syscall.SIGINT, false
	case svdir.CmdTerminate:
		return syscall.SIGTERM, false
	case svdir.CmdKill:
		return syscall.SIGKILL, false
	case svdir.CmdQuit:
		return syscall.SIGQUIT, false
	case svdir.CmdUser1:
		return syscall.SIGUSR1, false
	case svdir.CmdUser2:
		return syscall.SIGUSR2, false
	case svdir.CmdAbort:
		return syscall.SIGABRT, false
	case svdir.CmdWinch:
		return syscall.SIGWINCH, false
	case svdir.CmdPauseAll:
		return syscall.SIGSTOP, true
	case svdir.CmdContAll:
		return syscall.SIGCONT, true
	case svdir.CmdKillAll:
		return syscall.SIGKILL, true
	}
	return 0, false
}
