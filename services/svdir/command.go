package svdir

import "syscall"

// The letters of Commands.
const (
	CmdUp        = 'u'
	CmdDown      = 'd'
	CmdOnce      = 'o'
	CmdExit      = 'x'
	CmdPause     = 'p'
	CmdContinue  = 'c'
	CmdHangup    = 'h'
	CmdAlarm     = 'a'
	CmdInterrupt = 'i'
	CmdTerminate = 't'
	CmdKill      = 'k'
	CmdQuit      = 'q'
	CmdUser1     = '1'
	CmdUser2     = '2'
	CmdAbort     = 'b'
	CmdWinch     = 'y'
	CmdRestart   = 'r'
	CmdReload    = 'l'
	CmdPauseAll  = 'P'
	CmdContAll   = 'C'
	CmdKillAll   = 'K'
	CmdAtMost    = 'O'
)

// CmdsDownExit are the commands that stop a service and then let its supervisor
// end.
const CmdsDownExit = string(CmdDown) + string(CmdExit)

// Command is one byte in the FIFO control.
type Command struct {
	Letter byte
	Name   string         // one or two words, as svc(8) lists them
	Signal syscall.Signal // what the command sends, if that is all it does; else 0
	Group  bool           // the signal is for the process group
}

// Commands are all commands that a supervisor understands. It obeys them in the
// order in which they arrive, and ignores any other byte. The letters are those
// of daemontools (the first eleven), daemontools-encore and runit (q 1 2) and
// s6 (b y r l P C K O). What svc(8) says of them in case of a wrong option is in
// this order, too.
var Commands = [...]Command{
	{Letter: CmdUp, Name: "up"},       // start, and restart after an exit
	{Letter: CmdDown, Name: "down"},   // TERM and CONT, and do not restart
	{Letter: CmdOnce, Name: "once"},   // start, and do not restart
	{Letter: CmdExit, Name: "exit"},   // release the service when it is down; no signal
	{Letter: CmdPause, Name: "pause"}, // STOP
	{Letter: CmdContinue, Name: "continue"},
	{Letter: CmdHangup, Name: "hup", Signal: syscall.SIGHUP},
	{Letter: CmdAlarm, Name: "alarm", Signal: syscall.SIGALRM},
	{Letter: CmdInterrupt, Name: "interrupt", Signal: syscall.SIGINT},
	{Letter: CmdTerminate, Name: "term", Signal: syscall.SIGTERM},
	{Letter: CmdKill, Name: "kill", Signal: syscall.SIGKILL},

	{Letter: CmdQuit, Name: "quit", Signal: syscall.SIGQUIT},
	{Letter: CmdUser1, Name: "usr1", Signal: syscall.SIGUSR1},
	{Letter: CmdUser2, Name: "usr2", Signal: syscall.SIGUSR2},

	{Letter: CmdAbort, Name: "abort", Signal: syscall.SIGABRT},
	{Letter: CmdWinch, Name: "winch", Signal: syscall.SIGWINCH},
	{Letter: CmdRestart, Name: "restart"}, // the stop signal and CONT; what is wanted stays
	{Letter: CmdReload, Name: "reload"},   // the reload signal
	{Letter: CmdPauseAll, Name: "pause group", Signal: syscall.SIGSTOP, Group: true},
	{Letter: CmdContAll, Name: "continue group", Signal: syscall.SIGCONT, Group: true},
	{Letter: CmdKillAll, Name: "kill group", Signal: syscall.SIGKILL, Group: true},
	{Letter: CmdAtMost, Name: "at most once"}, // do not restart, and do not start when it is down
}

// CommandOf returns the command of a byte; ok is false for a byte that is none.
func CommandOf(letter byte) (c Command, ok bool) {
	for _, c := range Commands {
		if c.Letter == letter {
			return c, true
		}
	}
	return Command{}, false
}
