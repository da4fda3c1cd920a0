// Package svdir is the contract on disk that a supervisor and its tools
// share: the state directory of a service, where it is, and the files in it.
//
//	supervise/lock      flock held by the supervisor
//	supervise/ok        FIFO, open for reading while supervised
//	supervise/control   FIFO, one byte a command
//	supervise/status    the record, see StatusSize
//	supervise/pid, stat the same in words, as runit writes them
//
// The daemon's side is Held; the tools' side is Locate, ProbeOK, Send and
// ReadStatus. The formats are those of daemontools' supervise(8) and runit's
// runsv(8), so their tools work on our directories and ours on theirs.
package svdir
