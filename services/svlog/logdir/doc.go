// Package logdir writes a log directory as multilog(8) does: one log, split
// into files, of which the oldest are removed.
//
//	current      the file that is written to, mode 0644; 0744 after a clean close
//	@LABEL.s     a finished file, safe on disk, 0744; LABEL is the TAI64N time
//	             when it was finished, in hexadecimal
//	@LABEL.u     what was current or previous when multilog was killed
//	previous     only during a rotation: the file that was current
//	processed    only during a rotation: the output of the processor for
//	             previous; 0744 once it is complete
//	state        what the last processor left for the next
//	newstate     only during a rotation: what this processor leaves
//	lock         locked by the process that writes to the directory
//
// # Rotation
//
// A kill can come after each of these steps. [Open] sees from the files which
// step was the last:
//
//	fsync current
//	rename current to previous
//	make current
//	set the mode of previous to 0744
//	    run the processor: previous to processed, state to newstate
//	    fsync processed, set its mode to 0744
//	    fsync newstate
//	    unlink previous
//	    rename newstate to state
//	link previous, or processed, to @LABEL.s
//	unlink previous, or processed
//	remove the oldest @ files until fewer than Keep are left
//
// A file is linked to its final name before its first name is removed. Of a
// file with two links Open only removes the first name, so no line is lost or
// is there twice.
//
// # Where files end
//
// daemontools' multilog writes through a buffer of 512 bytes that is emptied
// before each read of 1024 bytes, and a file ends at the last newline of the
// first such piece that reaches into its last 2000 bytes. We read and write
// much larger pieces, but keep count of those small ones ([Dir.Settle]), so
// that the same input gives the same files. A file is never larger than Size,
// and ends at a newline if there is one in its last 2000 bytes.
//
// # Errors
//
// A system call that fails after Open is reported, and tried again until it
// succeeds or the caller gives up ([Config.Pause]). Waiting loses nothing.
// After the caller has given up on a rotation, the rotation stays incomplete
// until the next Open finishes it, and current grows without another one. What
// cannot be written is dropped and counted ([Dir.Close]). In both cases current
// keeps mode 0644, so that its final name ends in .u.
package logdir
