package services

import (
	"syscall"

	"svinit/services/svdir"
)

// command returns the event of a byte in supervise/control; ok is false for a
// byte that is none.
func command(c byte) (ev event, in input, ok bool) {
	switch c {
	case svdir.CmdUp:
		return cmdUp, in, true
	case svdir.CmdDown:
		return cmdDown, in, true
	case svdir.CmdOnce:
		return cmdOnce, in, true
	case svdir.CmdAtMost:
		return cmdAtMost, in, true
	case svdir.CmdExit:
		return cmdExit, in, true
	case svdir.CmdPause:
		return cmdPause, in, true
	case svdir.CmdContinue:
		return cmdContinue, in, true
	case svdir.CmdRestart:
		return cmdRestart, in, true
	}
	in.sig, in.group = signalOf(c)
	return cmdSignal, in, in.sig != 0
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
