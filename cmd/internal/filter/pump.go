package filter

import (
	"io"

	"svinit/cmd/internal/applet"
)

// readSize is the size of a read: the default capacity of a pipe, see pipe(7).
const readSize = 64 << 10

// A rewriter converts the next bytes of the input and appends the result to out.
// It may leave up to readSize bytes at the end of in: the next call gets them
// again, with more input behind them. What is left at the end of the input is
// dropped.
type rewriter interface {
	rewrite(out, in []byte) (appended []byte, left int)
}

// pump rewrites standard input to standard output. It writes the output of each
// read before the next, which may block. As in the originals, errors end it
// without a message, and a closed standard output by SIGPIPE.
func pump(e *applet.Env, r rewriter) error {
	in := make([]byte, 2*readSize)
	var out []byte
	left := 0
	for {
		n, err := e.Stdin.Read(in[left : left+readSize])
		if n > 0 {
			have := left + n
			out, left = r.rewrite(out[:0], in[:have])
			copy(in, in[have-left:have])
			if len(out) > 0 {
				if _, err := e.Stdout.Write(out); err != nil {
					return applet.Silent(applet.ExitTemporary)
				}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return applet.Silent(applet.ExitTemporary)
		}
	}
}
