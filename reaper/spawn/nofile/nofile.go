// Package nofile remembers the limit of open files that this process was given.
//
// Package syscall raises the soft limit to the hard one when it is initialized
// and gives children of syscall.ForkExec the old one back, but tells nobody what
// it was. Packages are initialized in the order of their import paths once what
// they import is, so this package, which imports nothing and whose path sorts
// before "syscall", can read the limit first.
package nofile

// AtStart is the soft and the hard limit (RLIMIT_NOFILE in getrlimit(2)) that
// this process was given, as the kernel's struct rlimit64.
var AtStart = read()

// Changed reports whether package syscall has raised the soft limit.
func Changed() bool { return AtStart[0] != AtStart[1] }
