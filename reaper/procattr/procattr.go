// Package procattr is what a process can be given at its start beyond
// syscall.ProcAttr: priority, limits and capabilities. It is shared by those who
// decide that and the code that does it.
package procattr

import "syscall"

// Extra is what a process gets beyond syscall.ProcAttr. A nil pointer, and the
// zero value of a field, change nothing.
type Extra struct {
	Umask       *uint32 // umask(2)
	Nice        *int    // the nice value, -20 to 19 (setpriority(2))
	OOMScoreAdj *int    // -1000 to 1000 (/proc/PID/oom_score_adj in proc(5))
	Limits      []Limit
	NoNewPrivs  bool // PR_SET_NO_NEW_PRIVS in prctl(2)

	// Capabilities is the set that the process has, a bit for each capability:
	// all others are removed from its bounding set, and a process that is not
	// root gets these as ambient capabilities (capabilities(7)).
	Capabilities *uint64

	// Dir, if it is not empty, is entered after ProcAttr.Dir, with the rights of
	// the user that the process has then.
	Dir string

	// Refused is called, before the outcome of execve(2) is reported, for each of
	// Nice, OOMScoreAdj and Limits that the kernel has refused: the process runs
	// without it. It must not block.
	Refused func(*Error)
}

// Limit is a resource limit as prlimit(2) has it.
type Limit struct {
	Resource  int
	Soft, Max uint64
}

// Step is a part of the start of a process.
type Step uint8

// The steps.
const (
	Umask Step = iota + 1
	Nice
	OOMScoreAdj
	Limits
	Capabilities
	Identity // user and groups
	NoNewPrivs
	Dir
)

// Error is the error of a step.
type Error struct {
	Step  Step
	Index int // of the limit in Extra.Limits
	Errno syscall.Errno
}

func (e *Error) Error() string { return e.Errno.Error() }

// Unwrap returns Errno.
func (e *Error) Unwrap() error { return e.Errno }
