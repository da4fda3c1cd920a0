// Package svlog passes on what services write: it reads their pipes, splits
// the input into lines, and writes each line whole and with the name of its
// service, from standard output to standard output, from standard error to
// standard error.
//
// One goroutine ([Mux.Run]) does all reading and writing, so lines are neither
// torn nor mixed. While the reader of our own output stalls, only this
// goroutine waits: the services fill their pipes and then wait too, nothing
// is dropped, and PID 1 still obeys commands and reaps.
//
// A line ends with a newline. A last line without one gets it when no process
// can write to its pipe any more. A line longer than [MaxLine] is passed on in
// pieces; each but the first is marked with a plus sign: "name+: rest of the
// line".
//
// A [Line] becomes text in format.go. What svinit itself has to report is an
// [Event], and becomes a line of the service "svinit".
package svlog
