package logdir

import (
	"bytes"

	"golang.org/x/sys/unix"
)

const (
	// small is the size in bytes of the buffer of daemontools' multilog, whose
	// pieces decide where files end.
	small = 512
	// tail is the number of bytes below Size within which a file may end.
	tail = 2000
)

// Put adds the beginning of a line, up to 1000 bytes in one call.
func (d *Dir) Put(b []byte) {
	n := len(d.out) - d.piece
	switch {
	case n+len(b) <= small:
		d.add(b)
	case len(b) <= small:
		d.Settle()
		d.add(b)
	default: // it is larger than the buffer and thus a piece of its own
		d.Settle()
		d.add(b)
		d.Settle()
	}
}

// Rest adds what follows Put, as if byte by byte: the rest of a line that is
// longer than 1000 bytes, and the newline.
func (d *Dir) Rest(b []byte) {
	for len(b) > 0 {
		if len(d.out)-d.piece >= small {
			d.Settle()
		}
		n := min(len(b), small-(len(d.out)-d.piece))
		d.add(b[:n])
		b = b[n:]
	}
}

func (d *Dir) add(b []byte) {
	if !d.failed && len(d.out)+len(b) > cap(d.out) {
		d.write(d.piece)
	}
	if d.failed {
		d.lost += int64(len(b))
		return
	}
	d.out = append(d.out, b...)
}

// Settle ends a piece: daemontools' multilog would write its buffer here. It
// rotates if the file ends in this piece.
func (d *Dir) Settle() {
	for len(d.out) > d.piece {
		n := len(d.out) - d.piece
		if d.bytes+n < d.config.Size-tail || d.stuck {
			d.bytes += n
			d.piece += n
			return
		}
		if d.bytes >= d.config.Size {
			d.rotate()
			continue
		}
		n = min(n, d.config.Size-d.bytes)
		if d.bytes+n >= d.config.Size-tail {
			if i := bytes.LastIndexByte(d.out[d.piece:d.piece+n], '\n'); i >= 0 {
				n = i + 1
			}
		}
		d.bytes += n
		d.piece += n
		if d.bytes >= d.config.Size-tail && d.out[d.piece-1] == '\n' {
			d.rotate()
		}
	}
}

// Flush settles and writes everything.
func (d *Dir) Flush() {
	d.Settle()
	d.write(len(d.out))
}

// Rotate finishes current, unless it is empty. Call Flush before it.
func (d *Dir) Rotate() {
	if d.bytes > 0 && !d.stuck {
		d.rotate()
	}
}

// write writes the first n bytes of out, which are settled. When Pause returns
// false it drops all of out.
func (d *Dir) write(n int) {
	if n > 0 {
		d.replaceRemoved()
	}
	done := 0
	for done < n && !d.failed {
		w, err := unix.Write(d.current, d.out[done:n])
		if w > 0 {
			done += w
			continue
		}
		if err == unix.EINTR {
			continue
		}
		if !d.config.Pause("unable to write to "+d.name+"/current", err) {
			d.failed, d.why = true, err
			d.lost += int64(len(d.out) - done)
			n = len(d.out)
			done = n
		}
	}
	rest := copy(d.out, d.out[n:])
	d.out = d.out[:rest]
	d.piece -= n
	if d.piece < 0 {
		d.piece = 0
	}
}

// replaceRemoved makes another current if somebody has removed it: what is
// written to it would be lost. An error is left to the next rotation; and some
// file systems count no links.
func (d *Dir) replaceRemoved() {
	var st unix.Stat_t
	if unix.Fstat(d.current, &st) != nil || st.Nlink != 0 {
		return
	}
	fd, err := openat(d.fd, "current", unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT, 0o600)
	if err != nil {
		return
	}
	if unix.Fstat(fd, &st) != nil || st.Nlink == 0 {
		unix.Close(fd)
		return
	}
	unix.Fchmod(fd, 0o644)
	unix.Close(d.current)
	d.current, d.bytes = fd, int(st.Size)+d.piece
}
