// Package spec reads what a service is. [Load] turns a [Source], such as a
// service directory, into a [Spec] and a list of [Problem]s. It is called
// before every start, so that a change takes effect at the next one, and it
// runs nothing.
//
// Everything behind it (machine, owner, set) knows only the Spec: a source of
// another kind needs another reader here and nothing elsewhere.
//
// # Files of a service directory
//
//	run              the program; it must be an executable file
//	down             if it exists, the service is not started by itself
//	log/run          if it exists, the service has a logger
//	control/LETTER   executables for commands, see [Spec.Control]
//
// For [Exec], which is what a program gets from its start:
//
//	env/NAME           a variable, as envdir(8) reads it
//	env-clear          if it exists, no variable is inherited
//	env-secrets/NAME   a variable: the path of a file that has the value
//	user               USER, USER:GROUP or UID:GID
//	working-directory  an absolute path, or one relative to the service directory
//	limits             softlimit(8)'s words and a number, a line each
//	nice, umask, oom-score-adj  a number
//	capabilities       names of capabilities(7); all others are removed
//	no-new-privs       if it exists and is not 0, PR_SET_NO_NEW_PRIVS (prctl(2))
//
// Files that mean something to another supervisor, and names that look mistyped,
// are Problems too; all other files are the application's own.
//
// Reads are bounded: a setting is a regular file of at most [MaxFile] bytes,
// and opening a FIFO does not block.
package spec
