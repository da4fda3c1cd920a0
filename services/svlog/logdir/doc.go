// Package logdir is the directory that multilog(8) writes: one log that is cut
// into files, the oldest of which are removed.
//
//	current      what is being written, mode 0644; 0744 once it was closed well
//	@LABEL.s     a finished file, safe on disk, 0744; LABEL is the TAI64N time
//	             of its end, in hexadecimal
//	@LABEL.u     what was current or previous when multilog was killed
//	previous     only during a rotation: what was current
//	processed    only during a rotation: what the processor makes of previous;
//	             0744 once that is all there
//	state        what the last processor left for the next
//	newstate     only during a rotation: what this processor leaves
//	lock         locked by who writes here
//
// # Rotation
//
// A kill can come after each of these steps, and [Open] tells from what it
// finds which was the last:
//
//	fsync current
//	rename current to previous
//	make current
//	previous is 0744
//	    run the processor: previous to processed, state to newstate
//	    fsync processed, processed is 0744
//	    fsync newstate
//	    unlink previous
//	    rename newstate to state
//	link previous, or processed, to @LABEL.s
//	unlink it
//	remove the oldest @ files until fewer than Keep are left
//
// A file is linked to its last name before its first name goes, so one with
// two links needs only lose the first: no line is lost or there twice.
//
// # Where files end
//
// daemontools' multilog writes through a buffer of 512 bytes that is emptied
// before each read of 1024 bytes, and a file ends at the last newline of the
// first such piece that reaches into its last 2000 bytes. We read and write
// much larger pieces, but keep account of those small ones ([Dir.Settle]), so
// that the same input gives the same files. A file is never larger than Size,
// and ends at a newline if there is one in its last 2000 bytes.
//
// # Trouble
//
// What the system refuses after Open is said and tried again until it works
// or the owner gives up ([Config.Pause]). Nothing is lost by waiting. Once
// given up, a rotation stays where it is, for the next Open to finish, and
// writing goes on without another; what cannot be written is dropped and
// counted ([Dir.Close]). Either way current is not marked as closed well, so
// that its name will end in .u.
package logdir
