package program

import (
	"runtime"
	"syscall"

	"svinit/reaper/inherit"
	"svinit/reaper/sigaction"
	"svinit/reaper/spawn"
)

// Exec is execve(2) for a tool: the program gets the signal mask and the ignored
// signals that this process was given, as far as they are known. It returns only
// if that fails.
func Exec(path string, argv, env []string) error {
	defer GiveSignals()()
	return syscall.Exec(path, argv, env)
}

// ForkExec is syscall.ForkExec for a tool: the child has the signal mask and the
// ignored signals that this process was given, as far as they are known.
func ForkExec(path string, argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	return spawn.ForkExec(path, argv, attr, spawn.Inheritance{Open: true, Blocked: inherit.Blocked(), Ignored: inherit.Ignored()})
}

// GiveSignals prepares the calling thread for execve(2): signals have the mask and,
// if they were ignored, the action that this process was given. If execve fails the
// caller calls restore, after which the thread has its mask again.
func GiveSignals() (restore func()) {
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if inherit.Ignored()&(1<<(sig-1)) != 0 {
			sigaction.Set(sig, sigaction.Action{Handler: sigaction.Ignore})
		}
	}
	if !inherit.Known() {
		return func() {}
	}
	runtime.LockOSThread()
	old := sigaction.SetMask(inherit.Blocked())
	return func() {
		sigaction.SetMask(old)
		runtime.UnlockOSThread()
	}
}
