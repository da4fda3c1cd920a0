package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// TestServe compares the output for all commands of a connection with that of memcached, except that we close
// the connection after a value of the wrong size.
func TestServe(t *testing.T) {
	for _, tt := range []struct{ name, input, want string }{
		{"set and get", "set a 5 0 3\r\nxyz\r\nget a b\r\n", "STORED|VALUE a 5 3|xyz|END|"},
		{"value with line ends", "set a 0 0 4\r\n\r\n\r\n\r\nget a\r\n", "STORED|VALUE a 0 4||||END|"},
		{"count", "incr n 1\r\nadd n 0 0 1\r\n1\r\nadd n 0 0 1\r\n1\r\nincr n 41\r\n", "NOT_FOUND|STORED|NOT_STORED|42|"},
		{"count a word", "set n 0 0 1\r\nx\r\nincr n 1\r\n", "STORED|CLIENT_ERROR cannot increment or decrement non-numeric value|"},
		{"count by a word", "incr n x\r\n", "CLIENT_ERROR invalid numeric delta argument|"},
		{"noreply", "set a 0 0 1 noreply\r\n1\r\nincr a 1 noreply\r\nget a\r\n", "VALUE a 0 1|2|END|"},
		{"unknown", "flush_all\r\n\r\nget\r\n", "ERROR|ERROR|ERROR|"},
		{"bad set", "set a 0 0\r\n", "CLIENT_ERROR bad command line format|"},
		{"wrong size ends it", "set a 0 0 1\r\nxyz\r\nversion\r\n", "CLIENT_ERROR bad data chunk|"},
		{"too large ends it", "set a 0 0 1048577\r\n", "SERVER_ERROR object too large for cache|"},
		{"quit", "version\r\nquit\r\nversion\r\n", "VERSION svinit-demo|"},
		{"endless line ends it", strings.Repeat("x", 5000) + "\r\nversion\r\n", ""},
	} {
		var out bytes.Buffer
		newStore().serve(struct {
			io.Reader
			io.Writer
		}{strings.NewReader(tt.input), &out})
		if got := strings.ReplaceAll(out.String(), "\r\n", "|"); got != tt.want {
			t.Errorf("%s: answered %q, want %q", tt.name, got, tt.want)
		}
	}
}
