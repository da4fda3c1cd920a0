// Package svlog carries what services write: it reads their pipes, splits
// into lines, labels each with its service and writes it whole, to standard
// output what came on standard output, to standard error the rest.
//
// One goroutine ([Mux.Run]) does all reading and writing, so lines can
// neither be torn nor mixed, and where the reader of our own output stalls it
// is this goroutine alone that waits: the services fill their pipes and wait
// too, and nothing is dropped, but PID 1 goes on commanding and reaping.
//
// A line is what ends with a newline. A last line without one gets it when
// its writer is gone. A line longer than [MaxLine] is passed on in pieces,
// each but the first marked with a plus sign: "name+: rest of the line".
package svlog
