package filter

import (
	"io"

	"svinit/cmd/internal/applet"
)

// chunk is how much is read at once: what a pipe holds unless somebody has
// changed that.
const chunk = 64 << 10

// A rewriter appends to out what it makes of in, the next bytes of the input.
// It may leave up to chunk bytes at the end of in for the next time, when more
// of the input has come; those that are left when the input ends are dropped.
type rewriter interface {
	rewrite(out, in []byte) (grown []byte, left int)
}

// pump rewrites standard input to standard output. What has been read is
// written before the next read, which may wait. Nothing is said of errors, as
// in the originals; a reader that has gone is death by SIGPIPE.
func pump(e *applet.Env, r rewriter) error {
	in := make([]byte, 2*chunk)
	var out []byte
	left := 0
	for {
		n, err := e.Stdin.Read(in[left : left+chunk])
		if n > 0 {
			have := left + n
			out, left = r.rewrite(out[:0], in[:have])
			copy(in, in[have-left:have])
			if len(out) > 0 {
				if _, err := e.Stdout.Write(out); err != nil {
					return applet.Silent(applet.Refused)
				}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return applet.Silent(applet.Refused)
		}
	}
}
